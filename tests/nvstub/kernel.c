/* The kernels, compiled for the host, and a launch of one: see cuda_on_host.h. */
#define GAZE_ON_HOST
#include "cuda_on_host.h"

#include "../../src/nvidia/kernels/preprocess.cu"

#include "nvstub.h"

#include <string.h>

int nvstub_kernel(const char *name) {
    static const char *names[] = {"gaze_resize", "gaze_warp", "gaze_turn"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

size_t nvstub_picture_size(void) {
    return sizeof(GazePicture);
}

int nvstub_translate(void *argument, uint64_t (*host)(uint64_t address)) {
    GazePicture *p = argument;
    unsigned long long *addresses[] = {&p->component[0], &p->component[1],   &p->component[2],
                                       &p->out,          &p->table,          &p->column_starts,
                                       &p->row_starts,   &p->column_weights, &p->row_weights};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        if (*addresses[i] == 0)
            continue;
        *addresses[i] = host(*addresses[i]);
        if (*addresses[i] == 0)
            return 0;
    }
    return 1;
}

void nvstub_run(int kernel, const unsigned grid[3], const unsigned block[3], const void *argument) {
    static void (*const kernels[])(const GazePicture) = {gaze_resize, gaze_warp, gaze_turn};
    GazePicture picture;
    memcpy(&picture, argument, sizeof(picture));
    blockDim = (HostDim){block[0], block[1], block[2]};
    for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < block[1]; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < block[0]; threadIdx.x++)
                    kernels[kernel](picture);
}
