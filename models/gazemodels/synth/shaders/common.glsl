// Shared by all programs: camera, noise, light. Camera coordinates are OpenCV's, millimetres; colours
// are linear light.

uniform mat4 projection;        // of the crop's pinhole camera
uniform vec3 light_direction[3]; // towards the light: key, fill, rim
uniform vec3 light_colour[3];
uniform vec3 ambient[9];        // irradiance as spherical harmonics, see `irradiance`
uniform mat4 shadow_matrix;     // camera coordinates to the key light's shadow map
uniform sampler2D shadow_map;
uniform float exposure;

// Integer hash: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", pcg3d.
uvec3 scramble(uvec3 v) {
    v = v * 1664525u + 1013904223u;
    v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
    v ^= v >> 16u;
    v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
    return v;
}

float at_corner(ivec3 cell) {
    return float(scramble(uvec3(cell + 32768)).x >> 8) / 16777216.0;
}

// Value noise, 0..1.
float noise(vec3 p) {
    ivec3 cell = ivec3(floor(p));
    vec3 f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    vec4 near = vec4(at_corner(cell), at_corner(cell + ivec3(1, 0, 0)),
                     at_corner(cell + ivec3(0, 1, 0)), at_corner(cell + ivec3(1, 1, 0)));
    vec4 far = vec4(at_corner(cell + ivec3(0, 0, 1)), at_corner(cell + ivec3(1, 0, 1)),
                    at_corner(cell + ivec3(0, 1, 1)), at_corner(cell + ivec3(1, 1, 1)));
    vec4 z = mix(near, far, f.z);
    vec2 y = mix(z.xy, z.zw, f.y);
    return mix(y.x, y.y, f.x);
}

// Irradiance over pi from coefficients that already hold the cosine lobe: Ramamoorthi and Hanrahan
// 2001, "An Efficient Representation for Irradiance Environment Maps", equation 13.
vec3 irradiance(vec3 n) {
    return max(ambient[0] + ambient[1] * n.y + ambient[2] * n.z + ambient[3] * n.x
        + ambient[4] * n.x * n.y + ambient[5] * n.y * n.z + ambient[6] * (3.0 * n.z * n.z - 1.0)
        + ambient[7] * n.x * n.z + ambient[8] * (n.x * n.x - n.y * n.y), vec3(0.0));
}

// How much of the key light arrives, 0..1.
float lit(vec3 position, vec3 normal) {
    vec4 s = shadow_matrix * vec4(position + normal * 1.5, 1.0);
    vec2 texel = 1.0 / vec2(textureSize(shadow_map, 0));
    float sum = 0.0;
    for (int i = 0; i < 4; ++i) {
        vec2 at = vec2(i < 2 ? -0.9 : 0.9, (i & 1) == 0 ? -0.9 : 0.9);
        // Twice as far along one diagonal, so that the steps of the map show less.
        float near = texture(shadow_map, s.xy + at.yx * vec2(1.0, 1.5) * texel).r;
        sum += smoothstep(-0.006, -0.003, near - s.z);
    }
    return 0.25 * sum;
}

// Exposed and sRGB-coded; a shoulder instead of clipping keeps highlights from burning out.
vec3 display(vec3 colour) {
    colour *= exposure;
    colour = colour * (1.0 + colour * 0.12) / (1.0 + colour * 0.45);
    vec3 low = 12.92 * colour;
    vec3 high = 1.055 * pow(max(colour, vec3(1e-5)), vec3(1.0 / 2.4)) - 0.055;
    return mix(low, high, step(0.0031308, colour));
}
