in vec3 in_position;
in vec3 in_normal;
in vec2 in_lash; // how far out along the hair 0..1, place along the lid

out vec2 lash;

void main() {
    lash = in_lash;
    gl_Position = projection * vec4(in_position, 1.0);
}
