// Skin with brows, lids' rims, stubble and clothes; also teeth.
uniform vec4 brow;         // height over the usual, thickness, arch, density
uniform vec3 brow_colour;
uniform vec3 hair_colour;
uniform vec3 cloth;
uniform vec2 neckline;     // height, depth of the V
uniform vec4 grain;        // place in the noise, freckles, roughness, lashes
uniform vec4 brow_move;    // how far expressions moved the brows is in the vertices; unused parts are 0

in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 albedo;
in vec4 mask;
in vec2 part;
out vec4 colour;

// Density 0..1 of the brow's hairs. The curve was read off the base mesh's brow ridge.
float brow_hair(vec3 p) {
    float x = abs(p.x);
    float along = (x - 0.10) / 0.42;
    if (p.z < 0.8 || along < -0.15 || along > 1.15) return 0.0;
    float middle = 7.515 + brow.x + 0.055 * brow.z * sin(3.1 * clamp(along, 0.0, 1.0) + 0.15)
        - 0.10 * max(along - 0.55, 0.0);
    float half_height = (0.040 - 0.024 * clamp(along, 0.0, 1.0)) * brow.y;
    float d = (p.y - middle) / half_height;
    // Hairs lean outwards, so their streaks are sheared along the brow.
    float streak = noise(vec3(along * 38.0 - d * 1.3, d * 1.1, grain.x));
    float ends = smoothstep(-0.12, 0.06, along) * smoothstep(1.12, 0.8, along);
    float body = exp(-d * d * (0.9 + 0.8 * streak));
    return ends * body * mix(0.35, 1.0, streak) * brow.w;
}

void main() {
    vec3 n = normalize(normal);
    vec3 view = normalize(-position);
    if (dot(n, view) < 0.0) n = -n;
    bool teeth = part.x > 0.5;
    float pores = noise(rest * 95.0 + grain.x);
    float spots = noise(rest * 22.0 + grain.x);
    float wide = noise(rest * 5.0 - grain.x);
    vec3 base = albedo;
    float gloss = 0.22;
    float cloth_share = 0.0;
    if (!teeth) {
        base *= 1.0 + 0.10 * (spots - 0.5) + 0.10 * (wide - 0.5) + 0.07 * (pores - 0.5);
        base.gb *= 1.0 - 0.10 * (wide - 0.5);
        float freckle = smoothstep(0.68, 0.78, noise(rest * 40.0 + 7.0 * grain.x))
            * smoothstep(6.5, 6.9, rest.y) * smoothstep(7.6, 7.1, rest.y);
        base *= 1.0 - grain.y * freckle * vec3(0.3, 0.45, 0.5);
        // The lash line and the crease: dark, the rim itself fleshy.
        base = mix(base, vec3(0.035, 0.02, 0.018), 0.75 * grain.w * mask.y * mask.y);
        base = mix(base, brow_colour, brow_hair(rest));
        base = mix(base, hair_colour * 0.7, smoothstep(0.2, 2.5, mask.w));
        float edge = neckline.x - neckline.y * max(0.0, 0.45 - abs(rest.x) * 0.9) * step(0.0, rest.z);
        cloth_share = smoothstep(edge + 0.02, edge - 0.02, rest.y);
        vec3 weave = cloth * (0.85 + 0.3 * noise(rest * vec3(60.0, 90.0, 60.0)));
        base = mix(base, weave, cloth_share);
        // Bump from the pores and the wrinkles of lips, by screen-space derivatives (Mikkelsen 2010,
        // "Bump Mapping Unparametrized Surfaces on the GPU").
        float height = 0.10 * pores * grain.z + 0.22 * spots * grain.z + 0.5 * cloth_share * wide
            + mask.x * 0.25 * noise(rest * vec3(90.0, 12.0, 20.0));
        vec3 px = dFdx(position), py = dFdy(position);
        vec3 r1 = cross(py, n), r2 = cross(n, px);
        float det = dot(px, r1);
        vec3 gradient = sign(det) * (dFdx(height) * r1 + dFdy(height) * r2);
        n = normalize(abs(det) * n - clamp(gradient, -0.7 * abs(det), 0.7 * abs(det)));
        gloss = mix(0.35 + 0.45 * grain.z * (0.5 + pores), 0.9, mask.x) * (1.0 - cloth_share);
        gloss *= 1.0 - 0.8 * smoothstep(0.2, 2.5, mask.w);
    }
    float open = mask.z;
    float key = lit(position, n);
    vec3 sum = irradiance(n) * open;
    vec3 shine = vec3(0.0);
    float skin = teeth ? 0.3 : 1.0 - cloth_share;
    for (int i = 0; i < 3; ++i) {
        vec3 l = light_direction[i];
        float c = dot(n, l);
        // Light that enters skin comes out beside where it went in, red the farthest: the terminator
        // is wrapped by channel (Green 2004, GPU Gems, chapter 16).
        vec3 wrap = skin * vec3(0.34, 0.16, 0.11);
        vec3 diffuse = clamp((c + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0, 1.0);
        float seen = i == 0 ? key : mix(1.0, open, 0.7);
        vec3 bleed = i == 0 ? mix(vec3(seen), sqrt(vec3(seen)), skin * vec3(0.5, 0.1, 0.05)) : vec3(seen);
        sum += light_colour[i] * diffuse * bleed * mix(1.0, open, 0.35);
        vec3 h = normalize(l + view);
        float nh = max(dot(n, h), 0.0);
        float fresnel = 0.028 + 0.972 * pow(1.0 - max(dot(view, h), 0.0), 5.0);
        float lobes = 0.7 * pow(nh, 18.0) * 3.0 + 0.3 * pow(nh, 70.0) * 10.0;
        shine += light_colour[i] * max(c, 0.0) * seen * fresnel * lobes * gloss;
    }
    float rim = pow(1.0 - max(dot(n, view), 0.0), 4.0) * 0.10 * gloss;
    colour = vec4(display(base * sum + shine + rim * irradiance(reflect(-view, n)) * open), 1.0);
}
