// Frames and lenses of glasses.
uniform vec3 tint;        // frame: its colour; lens: what it lets through
uniform float opacity;    // 1 for frames; of a lens, top
uniform float opacity_low;// of a lens, bottom
uniform float lens;
uniform float glare;      // what lenses mirror, 0 coated to 1 plain
uniform float seed;       // of the surroundings

in vec3 position;
in vec3 normal;
in vec2 place;
out vec4 colour;

void main() {
    vec3 n = normalize(normal);
    vec3 view = normalize(-position);
    if (dot(n, view) < 0.0) n = -n;
    vec3 mirror = reflect(-view, n);
    float fresnel = 0.04 + 0.96 * pow(1.0 - max(dot(n, view), 0.0), 5.0);
    vec3 shine = vec3(0.0);
    vec3 sum = irradiance(n);
    for (int i = 0; i < 3; ++i) {
        vec3 l = light_direction[i];
        float nh = max(dot(n, normalize(l + view)), 0.0);
        sum += light_colour[i] * max(dot(n, l), 0.0);
        shine += light_colour[i] * mix(0.35 * pow(nh, 40.0), 6.0 * pow(nh, 1500.0) + 0.12 * pow(nh, 60.0), lens);
    }
    // What a lens mirrors: the surroundings with a brighter patch somewhere.
    float patch_ = smoothstep(0.55, 0.75, noise(mirror * 2.3 + 11.0));
    vec3 room = irradiance(mirror) * (0.5 + 1.6 * patch_);
    if (lens > 0.5) {
        float alpha = mix(opacity_low, opacity, smoothstep(-1.0, 1.0, place.y));
        vec3 through = tint * 0.15 * sum;
        // Windows and lamps as soft rectangles of the mirrored surroundings.
        vec2 at = mirror.xy / max(0.2, -mirror.z + 0.6);
        float panes = 0.0;
        for (int i = 0; i < 2; ++i) {
            vec3 a = vec3(scramble(uvec3(uint(i), uint(seed * 1000.0), 21u)) >> 8) / 16777216.0;
            vec3 b = vec3(scramble(uvec3(uint(i), uint(seed * 1000.0), 23u)) >> 8) / 16777216.0;
            vec2 d = abs(at - (a.xy - 0.5) * 1.2) - 0.05 - 0.3 * b.xy * b.xy;
            panes += smoothstep(0.06, -0.03, max(d.x, d.y)) * (0.3 + 0.7 * b.z);
        }
        room += glare * panes * (3.0 * light_colour[0] + 6.0 * irradiance(mirror)) * (0.25 / fresnel) * 0.2;
        vec3 light = through * alpha + room * fresnel * 1.6 + shine;
        float cover = clamp(alpha + fresnel * 1.6 * dot(room, vec3(0.33)) + dot(shine, vec3(0.33)), 0.0, 1.0);
        colour = vec4(display(light / max(cover, 0.02)), cover);
    } else {
        colour = vec4(display(tint * sum + shine + room * fresnel * 0.6), 1.0);
    }
}
