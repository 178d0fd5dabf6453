// What is behind: soft gradients, blurred clutter, a room with furniture, a bright window.
uniform int scene;
uniform vec3 tones[4];
uniform vec4 window;   // frame coordinates of the crop: offset x, y, width, height over the frame
uniform float seed;
uniform float softness;

in vec2 place;
out vec4 colour;

float box(vec2 p, vec2 middle, vec2 size) {
    vec2 d = abs(p - middle) - size;
    return smoothstep(softness, -softness, max(d.x, d.y));
}

void main() {
    // -1..1 over the crop, then over the frame.
    vec2 p = window.xy + place * window.zw;
    float wide = noise(vec3(p * 1.7, seed));
    float mid = noise(vec3(p * 5.0, seed + 3.0));
    vec3 c = mix(tones[0], tones[1], clamp(0.5 + 0.5 * p.y + 0.3 * (wide - 0.5), 0.0, 1.0));
    if (scene >= 1) c = mix(c, tones[2], smoothstep(0.5 - softness, 0.5 + softness, wide));
    if (scene == 2) {
        // Furniture and frames on a wall.
        for (int i = 0; i < 7; ++i) {
            vec3 a = vec3(scramble(uvec3(uint(i), uint(seed * 1000.0), 5u)) >> 8) / 16777216.0;
            vec3 b = vec3(scramble(uvec3(uint(i), uint(seed * 1000.0), 9u)) >> 8) / 16777216.0;
            vec2 middle = (a.xy - 0.5) * 3.0;
            float in_box = box(p, middle, 0.08 + 0.5 * b.xy * b.xy);
            vec3 tone = mix(tones[int(a.z * 3.99)], tones[int(b.z * 3.99)], a.y) * (0.3 + 0.9 * b.z);
            c = mix(c, tone, in_box);
        }
    } else if (scene == 3) {
        // A window, much brighter than the room.
        vec3 a = vec3(scramble(uvec3(3u, uint(seed * 1000.0), 5u)) >> 8) / 16777216.0;
        vec2 middle = vec2(a.x * 2.4 - 1.2, -0.3 + 0.6 * a.y);
        float pane = box(p, middle, vec2(0.45, 0.75)) * (1.0 - box(p, middle, vec2(0.02, 2.0)));
        c = mix(c, tones[3] * 3.5, pane);
    } else if (scene == 4) {
        // Leaves or a crowd, out of focus.
        c = mix(c, tones[2] * 1.4, smoothstep(0.45, 0.75, mid));
        c = mix(c, tones[3], smoothstep(0.6, 0.7, noise(vec3(p * 9.0, seed - 2.0))));
    }
    c *= 0.9 + 0.2 * mid;
    colour = vec4(display(c), 1.0);
}
