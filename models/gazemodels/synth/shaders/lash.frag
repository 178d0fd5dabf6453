// Lashes: cards whose hairs thin out towards their ends.
uniform vec3 brow_colour;
uniform vec4 grain;

in vec2 lash;
in float lower;
out vec4 colour;

void main() {
    float hair = noise(vec3(lash.y * 150.0, lash.x * 1.2, grain.x));
    // Mascara: more and longer hairs.
    float more = max(grain.w - 1.0, 0.0);
    float density = smoothstep(0.15 + 0.75 * lash.x - 0.5 * more, 0.35 + 0.8 * lash.x - 0.4 * more, hair);
    colour = vec4(display(brow_colour * 0.12), min(grain.w * density * mix(0.85, 0.3 + 0.4 * more, lower), 1.0));
}
