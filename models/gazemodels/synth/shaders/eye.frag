// The eye behind the lids. The drawn surface is the ball that the lids fit; what is seen through it is
// found by a ray: the cornea, the iris behind it after refraction, or the sclera.
uniform vec3 centre;       // of rotation
uniform float radius;
uniform vec3 axis;
uniform mat3 head;         // columns: person's left, up, forward
uniform vec3 ball;
uniform vec3 section;      // limbus plane, cornea's centre, cornea's radius, in eyeball radii
uniform vec3 iris;
uniform float iris_radius; // mm
uniform float pupil;       // radius, mm
uniform vec3 pupil_colour; // light that comes back out of the pupil
uniform vec2 upper[8];     // margin of the lids: azimuth, elevation about the ball, radians
uniform vec2 lower[8];
uniform vec3 sclera;
uniform float iris_grain;
uniform float lash_shadow;

in vec3 position;
in vec3 direction;
out vec4 colour;

float margin(vec2 line[8], float azimuth) {
    float at = line[0].y;
    for (int i = 0; i < 7; ++i) {
        float t = clamp((azimuth - line[i].x) / (line[i + 1].x - line[i].x), 0.0, 1.0);
        if (azimuth > line[i].x) at = mix(line[i].y, line[i + 1].y, t);
    }
    return at;
}

// Distance along the ray to a sphere's near side, or -1.
float to_sphere(vec3 origin, vec3 ray, vec3 middle, float size) {
    vec3 m = origin - middle;
    float b = dot(m, ray);
    float inside = b * b - dot(m, m) + size * size;
    return inside < 0.0 ? -1.0 : -b - sqrt(inside);
}

vec3 iris_pattern(vec2 p, float r) {
    float angle = atan(p.y, p.x);
    vec2 round = vec2(cos(angle), sin(angle));
    float fibres = noise(vec3(round * 14.0, r * 1.3 + iris_grain));
    float fine = noise(vec3(round * 34.0, r * 2.0 + iris_grain));
    float collarette = smoothstep(0.14, 0.0, abs(r - 0.52 - 0.05 * fibres));
    vec3 tone = iris * (0.45 + 0.45 * fibres + 0.3 * fine);
    tone = mix(tone, iris * vec3(1.5, 1.15, 0.7), 0.45 * collarette);
    tone *= mix(1.0, 0.25, smoothstep(0.78, 1.0, r)); // limbal ring
    return tone;
}

void main() {
    vec3 ray = normalize(position);
    float cornea = to_sphere(vec3(0.0), ray, centre + axis * section.y * radius, section.z * radius);
    vec3 hit = cornea * ray;
    bool through = cornea > 0.0 && dot(hit - centre, axis) > section.x * radius;
    vec3 n;
    vec3 base;
    float globe = to_sphere(vec3(0.0), ray, centre, radius);
    float veins = noise(direction * vec3(18.0, 60.0, 18.0) + iris_grain);
    // The head's side of the eye: how far below the upper and above the lower lid.
    vec3 local = transpose(head) * direction;
    float azimuth = atan(local.x, local.z), elevation = asin(clamp(local.y, -1.0, 1.0));
    float below = margin(upper, azimuth) - elevation, above = elevation - margin(lower, azimuth);
    float corner = smoothstep(0.55, 0.95, abs(azimuth));
    vec3 white = sclera * mix(vec3(1.0), vec3(0.95, 0.70, 0.66), 0.35 * corner + 0.25 * corner * veins);
    float wet;
    if (through) {
        n = normalize(hit - centre - axis * section.y * radius);
        vec3 inward = refract(ray, n, 1.0 / 1.336);
        float depth = dot(hit - centre, axis) - (section.x - 0.035) * radius;
        vec3 at = hit + inward * depth / max(-dot(inward, axis), 0.15);
        vec3 side = at - centre - axis * dot(at - centre, axis);
        vec3 up = normalize(head[1] - axis * dot(head[1], axis));
        vec2 p = vec2(dot(side, cross(up, axis)), dot(side, up)) / iris_radius;
        float r = length(p);
        base = iris_pattern(p, r);
        float edge = fwidth(r) + 0.02;
        base = mix(pupil_colour, base, smoothstep(-edge, edge, r - pupil / iris_radius));
        base = mix(base, white * 0.75, smoothstep(0.95, 1.1, r));
        wet = 1.0;
    } else {
        vec3 at = globe > 0.0 ? globe * ray : position;
        n = globe > 0.0 ? normalize(at - centre) : direction;
        base = white;
        // Soft edge of the limbus.
        float away = acos(clamp(dot(n, axis), -1.0, 1.0)) * radius - iris_radius * 1.03;
        base = mix(iris * 0.35 + white * 0.25, base, smoothstep(-0.1, 0.9, away));
        wet = 0.6;
    }
    // Lids and lashes shade the eye, most just below the upper lid; the canthi are deep.
    float shade = mix(0.30, 1.0, smoothstep(-0.02, 0.30, below)) * mix(0.62, 1.0, smoothstep(-0.02, 0.16, above));
    shade *= mix(1.0, 0.72, corner) * mix(1.0, lash_shadow, smoothstep(0.4, 0.1, below));
    vec3 view = -ray;
    float key = lit(position, direction);
    vec3 sum = irradiance(normalize(mix(n, -ray, 0.3))) * shade;
    vec3 shine = vec3(0.0);
    for (int i = 0; i < 3; ++i) {
        vec3 l = light_direction[i];
        float seen = i == 0 ? key : 1.0;
        float c = dot(n, l);
        sum += light_colour[i] * clamp((c + 0.25) / 1.5625, 0.0, 1.0) * seen * mix(shade, 1.0, 0.25);
        vec3 h = normalize(l + view);
        float nh = max(dot(n, h), 0.0);
        shine += light_colour[i] * seen * wet * smoothstep(0.0, 0.12, below)
            * (2.2 * pow(nh, 900.0) * 4.0 + 0.05 * pow(nh, 60.0));
    }
    // Lids stand in the way of what the wet surface mirrors from above.
    vec3 mirror = reflect(ray, n);
    float fresnel = 0.02 + 0.6 * pow(1.0 - max(dot(n, view), 0.0), 5.0);
    shine += irradiance(mirror) * fresnel * shade * 0.7;
    // The meniscus along the lower lid.
    shine += irradiance(n) * 0.25 * smoothstep(0.05, 0.0, abs(above - 0.02)) * wet;
    colour = vec4(display(base * sum + shine), 1.0);
}
