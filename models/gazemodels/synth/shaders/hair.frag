// Strands: streaks that run with the hair, thinner towards the tips.
uniform vec3 hair_colour;
uniform float curl;
uniform vec4 grain;
uniform mat3 head;

in vec3 position;
in vec3 normal;
in vec3 rest;
in float height;
in float length_mm;
out vec4 colour;

void main() {
    if (length_mm < 0.4) discard;
    // Hair runs away from the crown: streaks are fine across and long along the way.
    vec3 out_of_crown = rest - vec3(0.08, 8.1, -0.25);
    float across = atan(out_of_crown.x, out_of_crown.z) * 26.0;
    float along = length(out_of_crown.xz) * 1.2 - out_of_crown.y * 1.2;
    float straight = noise(vec3(across, along * 1.4 + height, grain.x))
        * 0.6 + 0.4 * noise(vec3(across * 2.7, along * 2.5 + height * 1.5, grain.x));
    float curly = noise(rest * 24.0 + height * 1.6 + grain.x) * 0.6 + 0.4 * noise(rest * 48.0 + grain.x);
    float strand = mix(straight, curly, curl);
    float cover = smoothstep(0.0, 4.0, length_mm);
    if (strand < mix(-0.1, 0.62, height) + 0.35 * (1.0 - cover)) discard;
    vec3 n = normalize(normal);
    vec3 view = normalize(-position);
    // Kajiya and Kay 1989: light on fibres by their direction; scattered where hair curls.
    vec3 tangent = normalize(head * vec3(out_of_crown.x, -0.6, out_of_crown.z) + 0.6 * (straight - 0.5) * n);
    vec3 sum = irradiance(n) * mix(0.35, 1.0, height);
    vec3 shine = vec3(0.0);
    float key = lit(position, n);
    for (int i = 0; i < 3; ++i) {
        vec3 l = light_direction[i];
        float seen = (i == 0 ? key : 1.0) * clamp(dot(n, l) + 0.35, 0.0, 1.0);
        float tl = dot(tangent, l), tv = dot(tangent, view);
        float sl = sqrt(max(1.0 - tl * tl, 0.0));
        sum += light_colour[i] * seen * mix(0.55 * sl, 0.4, curl) * mix(0.5, 1.0, height);
        float along_cone = max(sl * sqrt(max(1.0 - tv * tv, 0.0)) - tl * tv, 0.0);
        shine += light_colour[i] * seen * pow(along_cone, 40.0) * mix(0.09, 0.02, curl);
    }
    vec3 base = hair_colour * (0.55 + 0.9 * strand) * (0.8 + 0.4 * noise(vec3(across * 0.4, along, grain.x)));
    colour = vec4(display(base * sum + shine * (0.25 + hair_colour) * strand), 1.0);
}
