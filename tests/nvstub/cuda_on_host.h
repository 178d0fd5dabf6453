/*
 * What CUDA has built in and src/nvidia/kernels/preprocess.cu needs, for C on the host. With it the
 * tests run the very source that the GPU gets: its arithmetic is held against core::preprocess where
 * there is no GPU. What this cannot show is what NVIDIA's compiler and hardware make of the source.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef CUDA_ON_HOST_H
#define CUDA_ON_HOST_H

#include <assert.h>
#include <math.h>

typedef struct {
    unsigned x, y, z;
} HostDim;

/* Set by who calls a kernel, thread for thread. */
static _Thread_local HostDim blockIdx, blockDim, threadIdx;

#define __device__
#define GAZE_KERNEL static

#endif
