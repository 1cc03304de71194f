// Which stage shows what.
import { Images } from "./images.js";
import { Line } from "./line.js";
import { Plane } from "./plane.js";

// The stage for samples of a shape.
export const stageOf = ({ length, 0: size }) => (length === 1 ? { 1: Line, 2: Plane }[size] : Images);
