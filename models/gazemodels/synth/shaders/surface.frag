// Kinds as `shade.frag` knows them: 1 skin, 2 teeth, 3 hair; nothing is 0.
uniform int shells;
uniform float curl;
uniform vec4 grain;

in vec3 position;
in vec3 normal;
in vec3 rest;
in vec3 albedo;
in vec4 mask;
in float part;
in float height;

layout(location = 0) out vec4 out_rest;
layout(location = 1) out vec4 out_normal;
layout(location = 2) out vec4 out_albedo;
layout(location = 3) out vec4 out_mask;

void main() {
    float kind = part > 0.5 ? 2.0 : 1.0;
    vec4 marks = vec4(mask.xyz, mask.w / 32.0);
    if (shells > 0) {
        if (mask.w < 0.4) discard;
        // Hair runs away from the crown: streaks are fine across and long along the way.
        vec3 from_crown = rest - vec3(0.08, 8.1, -0.25);
        float strand;
        bool beard = rest.y < 7.0 && rest.z > 0.3 && part < 2.5;
        if (curl < 0.5 && !beard) {
            float across = atan(from_crown.x, from_crown.z) * 26.0;
            float along = length(from_crown.xz) * 1.2 - from_crown.y * 1.2;
            strand = noise(vec3(across, along * 1.4 + height, grain.x)) * 0.6
                + 0.4 * noise(vec3(across * 2.7, along * 2.5 + height * 1.5, grain.x));
        } else {
            strand = noise(rest * 24.0 + height * 1.6 + grain.x) * 0.6
                + 0.4 * noise(rest * 48.0 + grain.x);
        }
        // The hairline is ragged: where hair is short, single strands are left of it.
        float cover = smoothstep(0.0, 4.0, mask.w);
        float single = noise(vec3(rest.x * 60.0 + rest.z * 25.0, rest.y * 4.0, grain.x));
        if (mix(strand, single, 0.55 * (1.0 - cover)) < mix(-0.1, 0.62, height) + 0.6 * (1.0 - cover)) discard;
        kind = 3.0;
        marks = vec4(strand, height, mask.zw / vec2(1.0, 32.0));
    }
    out_rest = vec4(rest, kind);
    out_normal = vec4(normal, position.z);
    out_albedo = vec4(albedo, 1.0);
    out_mask = marks;
}
