// Light and colour of what `surface` drew, each pixel once; the background where it drew nothing.
uniform sampler2D rest_map;
uniform sampler2D normal_map;
uniform sampler2D albedo_map;
uniform sampler2D mask_map;
uniform vec4 unproject;    // position / depth = xy + zw * place
uniform mat3 head;

uniform vec4 brow;         // height over the usual, thickness, arch, density
uniform vec3 brow_colour;
uniform vec3 hair_colour;
uniform float curl;
uniform vec3 cloth;
uniform vec2 neckline;     // height, depth of the V
uniform vec4 grain;        // place in the noise, freckles, roughness, lashes
uniform float wrinkles;    // 0 smooth to 1

uniform int scene;
uniform vec3 tones[4];
uniform vec4 window;       // middle and half size of the window over the frame
uniform float seed;
uniform float softness;

in vec2 place;
out vec4 colour;

// Density 0..1 of the brow's hairs. The curve was read off the base mesh's brow ridge.
float brow_hair(vec3 p) {
    float along = (abs(p.x) - 0.10) / 0.44;
    if (p.z < 0.8 || along < -0.15 || along > 1.15) return 0.0;
    float middle = 7.51 + brow.x + 0.055 * brow.z * sin(3.1 * clamp(along, 0.0, 1.0) + 0.15)
        - 0.10 * max(along - 0.55, 0.0);
    float half_height = (0.048 - 0.026 * clamp(along, 0.0, 1.0)) * brow.y;
    float d = (p.y - middle) / half_height;
    // Hairs lean outwards, so their streaks are sheared along the brow.
    float streak = noise(vec3(along * 30.0 - d * 1.3, d * 1.1, grain.x));
    float ends = smoothstep(-0.12, 0.06, along) * smoothstep(1.12, 0.8, along);
    return ends * exp(-d * d * d * d * (0.5 + 0.8 * streak)) * mix(0.55, 1.0, streak) * brow.w;
}

// Depth 0..1 of the lines that age and smiles draw, at a place of the base mesh: forehead, crow's
// feet, bags beneath the eyes, folds from the nose to the corners of the mouth.
float lines(vec3 p) {
    if (p.z < 0.5) return 0.0;
    float x = abs(p.x);
    float wobble = noise(p * 7.0 + grain.x);
    float forehead = pow(0.5 + 0.5 * sin(p.y * 52.0 + 2.5 * wobble + 1.2 * x), 6.0)
        * smoothstep(7.62, 7.72, p.y) * smoothstep(8.1, 7.95, p.y) * smoothstep(0.6, 0.4, x);
    vec2 corner = vec2(x - 0.46, p.y - 7.27);
    float far = length(corner), turn = atan(corner.y, corner.x);
    float crow = pow(0.5 + 0.5 * sin(turn * 13.0 + 3.0 * wobble), 4.0) * smoothstep(1.0, 0.75, abs(turn))
        * smoothstep(0.03, 0.07, far) * smoothstep(0.26, 0.1, far);
    vec2 eye = vec2((x - 0.308) / 1.3, p.y - 7.33);
    float below = length(eye);
    float bags = pow(0.5 + 0.5 * sin(below * 95.0 + 2.0 * wobble), 4.0)
        * smoothstep(0.15, 0.18, below) * smoothstep(0.27, 0.22, below) * smoothstep(0.0, -0.1, eye.y);
    float along = clamp((7.0 - p.y) / 0.45, 0.0, 1.0);
    float fold = exp(-pow((x - 0.17 - 0.2 * along) / 0.018, 2.0))
        * smoothstep(7.0, 6.93, p.y) * smoothstep(6.5, 6.62, p.y);
    return max(max(forehead, crow), max(0.7 * bags, fold));
}

float box(vec2 p, vec2 middle, vec2 size) {
    vec2 d = abs(p - middle) - size;
    return smoothstep(softness, -softness, max(d.x, d.y));
}

// Soft gradients, blurred clutter, a room with furniture, a bright window.
vec3 background() {
    vec2 p = window.xy + place * window.zw;
    float wide = noise(vec3(p * 1.7, seed));
    float mid = noise(vec3(p * 5.0, seed + 3.0));
    vec3 c = mix(tones[0], tones[1], clamp(0.5 + 0.5 * p.y + 0.3 * (wide - 0.5), 0.0, 1.0));
    if (scene == 1) c = mix(c, tones[2], smoothstep(0.3, 0.7, wide) * 0.7);
    if (scene == 2) {
        for (int i = 0; i < 7; ++i) {
            vec3 a = vec3(scramble(uvec3(uint(i), uint(seed * 1000.0), 5u)) >> 8) / 16777216.0;
            vec3 b = vec3(scramble(uvec3(uint(i), uint(seed * 1000.0), 9u)) >> 8) / 16777216.0;
            float in_box = box(p, (a.xy - 0.5) * 3.0, 0.08 + 0.5 * b.xy * b.xy);
            vec3 tone = mix(tones[int(a.z * 3.99)], tones[int(b.z * 3.99)], a.y) * (0.3 + 0.9 * b.z);
            c = mix(c, tone, in_box);
        }
    } else if (scene == 3) {
        vec3 a = vec3(scramble(uvec3(3u, uint(seed * 1000.0), 5u)) >> 8) / 16777216.0;
        vec2 middle = vec2(a.x * 2.4 - 1.2, -0.3 + 0.6 * a.y);
        float pane = box(p, middle, vec2(0.45, 0.75)) * (1.0 - box(p, middle, vec2(0.02, 2.0)));
        c = mix(c, tones[3] * 3.5, pane);
    } else if (scene == 4) {
        c = mix(c, tones[2] * 1.3, smoothstep(0.3, 0.8, mid) * 0.8);
        c = mix(c, tones[3], smoothstep(0.35, 0.85, noise(vec3(p * 9.0, seed - 2.0))) * 0.7);
    }
    return c * (0.9 + 0.2 * mid);
}

vec3 hair(vec3 position, vec3 n, vec3 rest, vec4 marks) {
    vec3 view = normalize(-position);
    float strand = marks.x, height = marks.y;
    // Kajiya and Kay 1989: light on fibres by their direction; scattered where hair curls.
    vec3 from_crown = rest - vec3(0.08, 8.1, -0.25);
    vec3 tangent = normalize(head * vec3(from_crown.x, -0.6, from_crown.z) + (strand - 0.5) * n);
    vec3 sum = irradiance(n) * mix(0.3, 1.0, height) * mix(0.4, 1.0, marks.z);
    vec3 shine = vec3(0.0);
    float key = lit(position, n);
    for (int i = 0; i < 3; ++i) {
        vec3 l = light_direction[i];
        float seen = (i == 0 ? key : 1.0) * clamp(dot(n, l) + 0.35, 0.0, 1.0);
        float tl = dot(tangent, l), tv = dot(tangent, view);
        float sl = sqrt(max(1.0 - tl * tl, 0.0));
        sum += light_colour[i] * seen * mix(0.55 * sl, 0.4, curl) * mix(0.4, 1.0, height);
        float cone = max(sl * sqrt(max(1.0 - tv * tv, 0.0)) - tl * tv, 0.0);
        shine += light_colour[i] * seen * pow(cone, 40.0) * mix(0.07, 0.015, curl);
    }
    return hair_colour * (0.45 + 1.1 * strand) * sum + shine * (0.25 + hair_colour) * strand;
}

vec3 skin(vec3 position, vec3 n, vec3 rest, vec3 albedo, vec4 mask, bool teeth) {
    vec3 view = normalize(-position);
    float pores = noise(rest * 95.0 + grain.x);
    float spots = noise(rest * 22.0 + grain.x);
    float wide = noise(rest * 5.0 - grain.x);
    float hairy = smoothstep(0.006, 0.08, mask.w);
    vec3 base = albedo;
    float gloss = 0.22, cloth_share = 0.0, height = 0.0;
    if (!teeth) {
        base *= 1.0 + 0.10 * (spots - 0.5) + 0.10 * (wide - 0.5) + 0.07 * (pores - 0.5);
        base.gb *= 1.0 - 0.10 * (wide - 0.5);
        if (grain.y > 0.0) {
            float freckle = smoothstep(0.68, 0.78, noise(rest * 40.0 + 7.0 * grain.x))
                * smoothstep(6.5, 6.9, rest.y) * smoothstep(7.6, 7.1, rest.y);
            base *= 1.0 - grain.y * freckle * vec3(0.3, 0.45, 0.5);
        }
        // The lash line: dark at its edge.
        base = mix(base, vec3(0.035, 0.02, 0.018), 0.8 * min(grain.w, 1.1) * mask.y);
        base = mix(base, brow_colour, brow_hair(rest));
        base = mix(base, hair_colour * 0.7, hairy);
        float edge = neckline.x - neckline.y * max(0.0, 0.45 - abs(rest.x) * 0.9) * step(0.0, rest.z);
        cloth_share = smoothstep(edge + 0.02, edge - 0.02, rest.y);
        base = mix(base, cloth * (0.85 + 0.3 * pores), cloth_share);
        // Bump from pores and wrinkles of the lips, by screen-space derivatives (Mikkelsen 2010,
        // "Bump Mapping Unparametrized Surfaces on the GPU").
        float crease = wrinkles > 0.02 ? wrinkles * lines(rest) : 0.0;
        base *= 1.0 - crease * vec3(0.30, 0.38, 0.38);
        height = -0.7 * crease + 0.10 * pores * grain.z + 0.22 * spots * grain.z + 0.5 * cloth_share * wide
            + mask.x * 0.25 * noise(rest * vec3(90.0, 12.0, 20.0));
        vec3 px = dFdx(position), py = dFdy(position);
        vec3 r1 = cross(py, n), r2 = cross(n, px);
        float det = dot(px, r1);
        vec3 gradient = sign(det) * (dFdx(height) * r1 + dFdy(height) * r2);
        if (abs(det) > 1e-6 && abs(det) < 4.0)
            n = normalize(abs(det) * n - clamp(gradient, -0.5 * abs(det), 0.5 * abs(det)));
        gloss = mix(0.35 + 0.45 * grain.z * (0.5 + pores), 0.9, mask.x) * (1.0 - cloth_share);
        gloss *= 1.0 - 0.8 * hairy;
    }
    float open = mask.z;
    float key = lit(position, n);
    vec3 sum = irradiance(n) * open;
    vec3 shine = vec3(0.0);
    float soft = teeth ? 0.3 : 1.0 - cloth_share;
    for (int i = 0; i < 3; ++i) {
        vec3 l = light_direction[i];
        float c = dot(n, l);
        // Light that enters skin comes out beside where it went in, red the farthest: the terminator
        // is wrapped by channel (Green 2004, GPU Gems, chapter 16).
        vec3 wrap = soft * vec3(0.34, 0.16, 0.11);
        vec3 diffuse = clamp((c + wrap) / ((1.0 + wrap) * (1.0 + wrap)), 0.0, 1.0);
        float seen = i == 0 ? key : mix(1.0, open, 0.7);
        vec3 bleed = mix(vec3(seen), sqrt(vec3(seen)), i == 0 ? soft * vec3(0.5, 0.1, 0.05) : vec3(0.0));
        sum += light_colour[i] * diffuse * bleed * mix(1.0, open, 0.35);
        vec3 h = normalize(l + view);
        float nh = max(dot(n, h), 0.0);
        float fresnel = 0.028 + 0.972 * pow(1.0 - max(dot(view, h), 0.0), 5.0);
        float lobes = 2.1 * pow(nh, 18.0) + 3.0 * pow(nh, 70.0);
        shine += light_colour[i] * max(c, 0.0) * seen * fresnel * lobes * gloss;
    }
    float rim = pow(1.0 - max(dot(n, view), 0.0), 4.0) * 0.10 * gloss;
    return base * sum + shine + rim * irradiance(reflect(-view, n)) * open;
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    vec4 rest = texelFetch(rest_map, pixel, 0);
    vec4 facing = texelFetch(normal_map, pixel, 0);
    vec3 position = vec3(unproject.xy + unproject.zw * place, 1.0) * facing.w;
    vec3 light;
    if (rest.w < 0.5) {
        light = background();
    } else {
        vec3 n = normalize(facing.xyz);
        if (dot(n, position) > 0.0) n = -n;
        vec4 mask = texelFetch(mask_map, pixel, 0);
        if (rest.w > 2.5) light = hair(position, n, rest.xyz, mask);
        else light = skin(position, n, rest.xyz, texelFetch(albedo_map, pixel, 0).rgb, mask, rest.w > 1.5);
    }
    // The background is no part of a cut-out.
    colour = vec4(display(light), rest.w < 0.5 ? 0.0 : 1.0);
}
