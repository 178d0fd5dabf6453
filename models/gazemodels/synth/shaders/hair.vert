// One shell of hair: the skin, moved outwards along a strand that bends down.
in vec3 in_position;
in vec3 in_normal;
in vec3 in_rest;
in vec4 in_mask;

uniform int shells;
uniform vec3 down;      // the trunk's down, camera coordinates
uniform float curl;
uniform vec4 grain;

out vec3 position;
out vec3 normal;
out vec3 rest;
out float height;       // 0 at the root, 1 at the tip
out float length_mm;

void main() {
    height = (float(gl_InstanceID) + 1.0) / float(shells);
    length_mm = in_mask.w;
    rest = in_rest;
    normal = in_normal;
    // Locks: neighbouring hairs lie alike.
    float lock = noise(in_rest * mix(3.5, 7.0, curl) + grain.x);
    float rise = length_mm * height * (0.55 + 0.7 * lock);
    vec3 bend = down * rise * height * mix(0.35, 0.05, curl);
    position = in_position + in_normal * rise + bend;
    gl_Position = projection * vec4(position, 1.0);
}
