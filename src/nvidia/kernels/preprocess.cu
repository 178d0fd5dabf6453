// Pictures for a model made on the GPU: what core::preprocess makes on the CPU, to the same bytes.
//
// One thread makes one pixel of the picture, all of its channels. Everything up to the tensor's value
// is arithmetic on whole numbers, or on floats and doubles in the CPU's order without fused
// operations, so that no rounding differs; the value is looked up in the CPU's own table, so that
// this file knows nothing of scales, means and element types but how many bytes one has. Windows and
// weights of a change of size come from the CPU's own tables as well.
//
// preprocess.ptx beside this file is what is loaded (see make_ptx.py). The same source is C as well:
// the tests compile it for the host, define GAZE_ON_HOST and supply what CUDA has built in.

#ifndef GAZE_ON_HOST
#define GAZE_KERNEL extern "C" __global__
#endif

typedef unsigned char byte;

// What a launch is told; `Picture` in src/nvidia/abi/picture.rs, field for field. Both sides check
// its size when they are compiled, and its offsets there and here on the host: NVRTC, whose layout is
// the host's, has no offsetof.
typedef struct {
    unsigned long long component[3];    // addresses of the first grey, or R, G, B, or Y, U, V
    unsigned long long out;             // of the first byte of the item
    unsigned long long table;           // of 256 values for each channel
    unsigned long long column_starts;   // of the windows across, one for each column
    unsigned long long column_weights;  // column_taps for each column
    unsigned long long row_starts;      // of the windows down
    unsigned long long row_weights;
    long long stride[3];                // bytes from row to row of a component
    double to_source[9];                // warp: from the picture's pixels to the frame's
    float turn[4];                      // turn: cosine, sine, x and y of the first pixel
    int step[3];                        // bytes from pixel to pixel of a component
    int shift_x[3];                     // 1 where a component has half the columns
    int shift_y[3];
    int kind;                           // KIND_...
    int black, luma, v_to_r, u_to_g, v_to_g, u_to_b;  // YuvCoefficients
    int frame_width, frame_height;
    int channels;                       // CHANNELS_...
    int layout;                         // LAYOUT_...
    int element;                        // bytes of a value: 1, 2 or 4
    int width, height;                  // of the tensor
    int picture_x, picture_y, picture_width, picture_height;  // the part of it that is filled
    int source_x, source_y, source_width, source_height;      // what is read
    int black_border;                   // whether black lies around the frame, or its edge
    int filter;                         // FILTER_...
    int column_taps, row_taps;
    int fill;                           // the byte around the picture
    int reserved;
} GazePicture;
static_assert(sizeof(GazePicture) == 336, "GazePicture");
#ifdef GAZE_ON_HOST
#define AT(field, place) static_assert(__builtin_offsetof(GazePicture, field) == place, #field)
AT(out, 24);
AT(stride, 72);
AT(to_source, 96);
AT(turn, 168);
AT(step, 184);
AT(kind, 220);
AT(black, 224);
AT(frame_width, 248);
AT(channels, 256);
AT(width, 268);
AT(picture_x, 276);
AT(source_x, 292);
AT(black_border, 308);
AT(column_taps, 316);
AT(fill, 324);
#undef AT
#endif

enum { KIND_GRAY, KIND_RGB, KIND_YUV };
enum { CHANNELS_RGB, CHANNELS_BGR, CHANNELS_GRAY };
enum { LAYOUT_NCHW, LAYOUT_NHWC };
enum { FILTER_LINEAR, FILTER_CUBIC, FILTER_PIL };

static __device__ int clamped(long long value, int last) {
    return value < 0 ? 0 : value > last ? last : (int)value;
}

// Fixed point with 20 binary places, rounded by a half that was added before.
static __device__ int to_byte(int fixed) {
    return clamped(fixed >> 20, 255);
}

// A pixel in the picture's channels.
typedef struct {
    int c[3];
} Pixel;

static __device__ Pixel pixel_of(int first, int second, int third) {
    Pixel pixel;
    pixel.c[0] = first;
    pixel.c[1] = second;
    pixel.c[2] = third;
    return pixel;
}

static __device__ int component(const GazePicture *p, int which, int x, int y) {
    const byte *first = (const byte *)p->component[which];
    return first[(long long)(y >> p->shift_y[which]) * p->stride[which] +
                 (long long)(x >> p->shift_x[which]) * p->step[which]];
}

// A pixel of the frame, converted.
static __device__ Pixel convert(const GazePicture *p, int channels, int x, int y) {
    int first = component(p, 0, x, y);
    if (p->kind != KIND_RGB) {
        int above = first > p->black ? first - p->black : 0;
        int luma = above * p->luma + (1 << 19);
        if (p->kind == KIND_GRAY || channels == CHANNELS_GRAY) {
            int gray = to_byte(luma);
            return pixel_of(gray, gray, gray);
        }
        int u = component(p, 1, x, y) - 128, v = component(p, 2, x, y) - 128;
        int red = to_byte(luma + v * p->v_to_r);
        int green = to_byte(luma + u * p->u_to_g + v * p->v_to_g);
        int blue = to_byte(luma + u * p->u_to_b);
        if (channels == CHANNELS_BGR)
            return pixel_of(blue, green, red);
        return pixel_of(red, green, blue);
    }
    int green = component(p, 1, x, y), blue = component(p, 2, x, y);
    if (channels == CHANNELS_GRAY) {
        int gray = (first * 9798 + green * 19235 + blue * 3735 + (1 << 14)) >> 15;
        return pixel_of(gray, gray, gray);
    }
    if (channels == CHANNELS_BGR)
        return pixel_of(blue, green, first);
    return pixel_of(first, green, blue);
}

// A pixel anywhere about the frame.
static __device__ Pixel around(const GazePicture *p, int channels, long long x, long long y) {
    if (p->black_border && (x < 0 || y < 0 || x >= p->frame_width || y >= p->frame_height))
        return pixel_of(0, 0, 0);
    return convert(p, channels, clamped(x, p->frame_width - 1), clamped(y, p->frame_height - 1));
}

// A pixel of the source rectangle, whose edge is repeated.
static __device__ Pixel tap(const GazePicture *p, int column, int row) {
    return around(p, p->channels, (long long)p->source_x + clamped(column, p->source_width - 1),
                  (long long)p->source_y + clamped(row, p->source_height - 1));
}

// cv2.INTER_LINEAR on bytes.
static __device__ Pixel linear(const GazePicture *p, int column, const int *across, int row,
                               const int *down) {
    Pixel a = tap(p, column, row), b = tap(p, column + 1, row);
    Pixel c = tap(p, column, row + 1), d = tap(p, column + 1, row + 1);
    Pixel out;
    for (int i = 0; i < 3; i++) {
        int upper = (a.c[i] * across[0] + b.c[i] * across[1]) >> 4;
        int lower = (c.c[i] * across[0] + d.c[i] * across[1]) >> 4;
        out.c[i] = (((upper * down[0]) >> 16) + ((lower * down[1]) >> 16) + 2) >> 2;
    }
    return out;
}

// cv2.INTER_CUBIC on bytes: down in single precision, from the last row to the first.
static __device__ Pixel cubic(const GazePicture *p, int column, const int *across, int row,
                              const int *down) {
    float sum[3] = {0.0f, 0.0f, 0.0f};
#pragma unroll 1
    for (int k = 3; k >= 0; k--) {
        int line[3] = {0, 0, 0};
        for (int j = 0; j < 4; j++) {
            Pixel pixel = tap(p, column + j, row + k);
            for (int i = 0; i < 3; i++)
                line[i] += pixel.c[i] * across[j];
        }
        float weight = (float)down[k] * (1.0f / 4194304.0f);
        for (int i = 0; i < 3; i++)
            sum[i] = (float)line[i] * weight + sum[i];
    }
    Pixel out;
    for (int i = 0; i < 3; i++)
        out.c[i] = (int)rintf(fminf(fmaxf(sum[i], 0.0f), 255.0f));
    return out;
}

// PIL.Image.BILINEAR on bytes: each step rounds to bytes. Weights have 22 binary places.
static __device__ Pixel pil(const GazePicture *p, int column, const int *across, int row,
                            const int *down) {
    const unsigned half = 1u << 21;
    unsigned sum[3] = {half, half, half};
#pragma unroll 1
    for (int k = 0; k < p->row_taps; k++) {
        if (down[k] == 0)
            continue;
        unsigned line[3] = {half, half, half};
#pragma unroll 1
        for (int j = 0; j < p->column_taps; j++) {
            if (across[j] == 0)
                continue;
            Pixel pixel = tap(p, column + j, row + k);
            for (int i = 0; i < 3; i++)
                line[i] += (unsigned)pixel.c[i] * (unsigned)across[j];
        }
        for (int i = 0; i < 3; i++) {
            unsigned cell = line[i] >> 22;
            sum[i] += (cell > 255 ? 255 : cell) * (unsigned)down[k];
        }
    }
    Pixel out;
    for (int i = 0; i < 3; i++) {
        unsigned value = sum[i] >> 22;
        out.c[i] = value > 255 ? 255 : (int)value;
    }
    return out;
}

// Writes a pixel's values.
static __device__ void store(const GazePicture *p, int x, int y, Pixel pixel) {
    int channels = p->channels == CHANNELS_GRAY ? 1 : 3;
    for (int c = 0; c < channels; c++) {
        long long at = p->layout == LAYOUT_NHWC
                           ? ((long long)y * p->width + x) * channels + c
                           : ((long long)c * p->height + y) * p->width + x;
        int value = c * 256 + pixel.c[c];
        switch (p->element) {
        case 1:
            ((byte *)p->out)[at] = ((const byte *)p->table)[value];
            break;
        case 2:
            ((unsigned short *)p->out)[at] = ((const unsigned short *)p->table)[value];
            break;
        default:
            ((unsigned *)p->out)[at] = ((const unsigned *)p->table)[value];
        }
    }
}

// A rectangle of the frame, brought to another size: Preprocessor::fill.
GAZE_KERNEL void gaze_resize(const GazePicture picture) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= picture.width || y >= picture.height)
        return;
    int column = x - picture.picture_x, row = y - picture.picture_y;
    Pixel pixel = pixel_of(picture.fill, picture.fill, picture.fill);
    if (column >= 0 && row >= 0 && column < picture.picture_width && row < picture.picture_height) {
        int first_column = ((const int *)picture.column_starts)[column];
        int first_row = ((const int *)picture.row_starts)[row];
        const int *across = (const int *)picture.column_weights + (long long)column * picture.column_taps;
        const int *down = (const int *)picture.row_weights + (long long)row * picture.row_taps;
        if (picture.filter == FILTER_LINEAR)
            pixel = linear(&picture, first_column, across, first_row, down);
        else if (picture.filter == FILTER_CUBIC)
            pixel = cubic(&picture, first_column, across, first_row, down);
        else
            pixel = pil(&picture, first_column, across, first_row, down);
    }
    store(&picture, x, y, pixel);
}

static __device__ int between(const int corner[4], float right, float down) {
    float a = (float)corner[0], b = (float)corner[1], c = (float)corner[2], d = (float)corner[3];
    float top = a + (b - a) * right, bottom = c + (d - c) * right;
    return clamped((long long)rintf(top + (bottom - top) * down), 255);
}

static __device__ double in_reach(double at) {
    const double far = 1099511627776.0;
    return at != at ? far : fmin(fmax(at, -far), far);
}

// The frame seen through a homography: Preprocessor::fill_warped.
GAZE_KERNEL void gaze_warp(const GazePicture picture) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= picture.width || y >= picture.height)
        return;
    const double *m = picture.to_source;
    double u = m[0] * x + m[1] * y + m[2];
    double v = m[3] * x + m[4] * y + m[5];
    double w = m[6] * x + m[7] * y + m[8];
    double left = in_reach(u / w), top = in_reach(v / w);
    double column = floor(left), row = floor(top);
    float right = (float)(left - column), down = (float)(top - row);
    Pixel corner[4];
    for (int i = 0; i < 4; i++)
        corner[i] = around(&picture, picture.channels, (long long)column + (i & 1), (long long)row + (i >> 1));
    Pixel pixel;
    for (int c = 0; c < 3; c++) {
        int values[4] = {corner[0].c[c], corner[1].c[c], corner[2].c[c], corner[3].c[c]};
        pixel.c[c] = between(values, right, down);
    }
    store(&picture, x, y, pixel);
}

// A square of the frame turned about its middle, its edge repeated, as blue, green and red bytes:
// `turn_level` of core::eye. The square's side is `width`.
GAZE_KERNEL void gaze_turn(const GazePicture picture) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= picture.width || y >= picture.width)
        return;
    float right = picture.turn[0], down = picture.turn[1];
    float sx = (float)x * right + ((float)y * -down + picture.turn[2]);
    float sy = (float)x * down + ((float)y * right + picture.turn[3]);
    float left = floorf(sx), top = floorf(sy);
    Pixel corner[4];
    for (int i = 0; i < 4; i++) {
        int column = clamped((long long)left + (i & 1), picture.width - 1);
        int row = clamped((long long)top + (i >> 1), picture.width - 1);
        corner[i] = around(&picture, CHANNELS_BGR, (long long)picture.source_x + column,
                           (long long)picture.source_y + row);
    }
    byte *out = (byte *)picture.out + ((long long)y * picture.width + x) * 3;
    for (int c = 0; c < 3; c++) {
        int values[4] = {corner[0].c[c], corner[1].c[c], corner[2].c[c], corner[3].c[c]};
        out[c] = (byte)between(values, sx - left, sy - top);
    }
}
