in vec3 in_position;
in vec3 in_normal;
in vec2 in_place; // on a lens: -1..1

out vec3 position;
out vec3 normal;
out vec2 place;

void main() {
    position = in_position;
    normal = in_normal;
    place = in_place;
    gl_Position = projection * vec4(in_position, 1.0);
}
