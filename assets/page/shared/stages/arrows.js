// The flow's arrows over a plane.

/**
 * The arrows of level j, the longest of them 13 pixels long.
 * @param {CanvasRenderingContext2D} context
 * @param {import("../types.d.ts").Field} field
 * @param {number} j
 * @param {{ width: number, height: number, unit: number }} window  unit: pixels of 1.
 * @param {import("../types.d.ts").Colors} colors
 */
export function paintArrows(context, { positions, arrows }, j, { width, height, unit }, colors) {
  const count = positions.length;
  let longest = 1e-9;
  for (let i = 0; i < count; i += 2)
    longest = Math.max(longest, Math.hypot(arrows[j * count + i], arrows[j * count + i + 1]));
  context.strokeStyle = colors.mute;
  context.lineWidth = 1.1;
  context.globalAlpha = 0.8;
  context.beginPath();
  for (let i = 0; i < count; i += 2) {
    const [dx, dy] = [arrows[j * count + i], -arrows[j * count + i + 1]];
    const size = Math.hypot(dx, dy);
    const length = (13 * Math.sqrt(size / longest)) / (size || 1);
    const [x, y] = [width / 2 + positions[i] * unit, height / 2 - positions[i + 1] * unit];
    const [tx, ty] = [x + dx * length, y + dy * length];
    context.moveTo(x, y);
    context.lineTo(tx, ty);
    context.moveTo(tx - (dx - dy * 0.6) * length * 0.35, ty - (dy + dx * 0.6) * length * 0.35);
    context.lineTo(tx, ty);
    context.lineTo(tx - (dx + dy * 0.6) * length * 0.35, ty - (dy - dx * 0.6) * length * 0.35);
  }
  context.stroke();
  context.globalAlpha = 1;
}
