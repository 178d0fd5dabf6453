in vec3 in_direction; // unit, from the ball's centre, in the head's axes

uniform vec3 ball;
uniform float ball_radius;
uniform mat3 head; // columns: person's left, up, forward in camera coordinates

out vec3 position;
out vec3 direction;

void main() {
    direction = head * in_direction;
    position = ball + ball_radius * direction;
    gl_Position = projection * vec4(position, 1.0);
}
