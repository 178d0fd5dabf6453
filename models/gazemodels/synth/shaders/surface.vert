// Skin, teeth and shells of hair, drawn into the buffers that `shade.frag` reads. Of a shell the
// vertices lie outwards along strands that bend down.
in vec3 in_position;
in vec3 in_normal;
in vec3 in_rest;
in vec3 in_albedo;
in vec4 in_mask; // lips, rim of the lids, occlusion, hair in mm
in float in_part;

uniform int shells;     // 0: the surface itself
uniform vec3 down;      // the trunk's down, camera coordinates
uniform float curl;
uniform vec4 grain;

out vec3 position;
out vec3 normal;
out vec3 rest;
out vec3 albedo;
out vec4 mask;
out float part;
out float height;       // of hair, 0 at the root, 1 at the tip

void main() {
    position = in_position;
    normal = in_normal;
    rest = in_rest;
    albedo = in_albedo;
    mask = in_mask;
    part = in_part;
    height = 0.0;
    if (shells > 0) {
        height = (float(gl_InstanceID) + 1.0) / float(shells);
        // Locks: neighbouring hairs lie alike.
        float lock = noise(in_rest * mix(3.5, 7.0, curl) + grain.x);
        float rise = in_mask.w * height * (0.55 + 0.7 * lock);
        position += in_normal * rise + down * rise * height * mix(0.35, 0.05, curl);
    }
    gl_Position = projection * vec4(position, 1.0);
}
