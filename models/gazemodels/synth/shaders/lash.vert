in vec3 in_position;
in vec3 in_lash; // how far out along the hair 0..1, place along the lid, 1 for the lower lid

out vec2 lash;
out float lower;

void main() {
    lash = in_lash.xy;
    lower = in_lash.z;
    gl_Position = projection * vec4(in_position, 1.0);
}
