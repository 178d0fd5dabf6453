in vec3 in_position;
in vec3 in_normal;
in vec3 in_rest;
in vec3 in_albedo;
in vec4 in_mask; // lips, rim of the lids, occlusion, hair in mm
in vec2 in_part; // kind of part, how strongly it is skin

out vec3 position;
out vec3 normal;
out vec3 rest;
out vec3 albedo;
out vec4 mask;
out vec2 part;

void main() {
    position = in_position;
    normal = in_normal;
    rest = in_rest;
    albedo = in_albedo;
    mask = in_mask;
    part = in_part;
    gl_Position = projection * vec4(in_position, 1.0);
}
