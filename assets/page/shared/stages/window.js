// What of the plane is in view.

export const WINDOW = 1.3; // half height in units of the data's coordinates
export const FOLLOW_WINDOW = 2.6; // half height in units of √(σ² + σ_data²)
