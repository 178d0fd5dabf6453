/* libnvbufsurface.so: see nvstub.h. */
#include "nvstub.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN(v, to) (((v) + (to)-1) / (to) * (to))

/* Rows and bytes of a row of each plane, for the formats that the tests make. */
static uint32_t planes_of(int format, uint32_t w, uint32_t h, uint32_t row[4], uint32_t rows[4]) {
    uint32_t half_w = (w + 1) / 2, half_h = (h + 1) / 2;
    row[0] = w;
    rows[0] = h;
    switch (format) {
    case 6: case 7: case 33: case 34: case 36: /* NV12 */
    case 8: case 9: /* NV21 */
        row[1] = 2 * half_w;
        rows[1] = half_h;
        return 2;
    case 2: case 3: case 4: case 5: case 31: case 32: case 35: /* I420, YV12 */
        row[1] = row[2] = half_w;
        rows[1] = rows[2] = half_h;
        return 3;
    case 10: case 11: case 14: case 15: case 89: case 90: case 91: /* UYVY, YUYV */
        row[0] = 4 * half_w;
        return 1;
    case 27: case 28: /* RGB, BGR */
        row[0] = 3 * w;
        return 1;
    case 19: case 20: case 21: case 22: case 23: case 24: case 25: case 26:
        row[0] = 4 * w;
        return 1;
    case 1: case 88: /* GRAY8 */
        return 1;
    default:
        return 0;
    }
}

STUB_EXPORT int NvBufSurfaceCreate(NvBufSurface **out, uint32_t batch,
                                   NvBufSurfaceCreateParams *params) {
    NvBufSurface *surface = calloc(1, sizeof(*surface));
    surface->surfaceList = calloc(batch, sizeof(NvBufSurfaceParams));
    surface->gpuId = params->gpuId;
    surface->batchSize = batch;
    surface->memType = params->memType;
    for (uint32_t i = 0; i < batch; i++) {
        NvBufSurfaceParams *p = &surface->surfaceList[i];
        uint32_t row[4], rows[4];
        uint32_t planes = planes_of(params->colorFormat, params->width, params->height, row, rows);
        if (planes == 0) {
            surface->batchSize = i;
            NvBufSurfaceDestroy(surface);
            return -1;
        }
        p->width = params->width;
        p->height = params->height;
        p->colorFormat = params->colorFormat;
        p->layout = params->layout;
        p->planeParams.num_planes = planes;
        for (uint32_t k = 0; k < planes; k++) {
            /* Neither tight nor GStreamer's own alignment. */
            p->planeParams.pitch[k] = ALIGN(row[k], 64) + 64;
            p->planeParams.height[k] = rows[k];
            p->planeParams.width[k] = row[k];
            p->planeParams.bytesPerPix[k] = 1;
            p->planeParams.offset[k] = ALIGN(p->dataSize, 512);
            p->planeParams.psize[k] = p->planeParams.pitch[k] * rows[k];
            p->dataSize = p->planeParams.offset[k] + p->planeParams.psize[k];
        }
        p->pitch = p->planeParams.pitch[0];
        uint64_t memory = (uint64_t)(uintptr_t)calloc(1, p->dataSize);
        p->bufferDesc = memory;
        switch (params->memType) {
        case MEM_ARRAY:
        case MEM_HANDLE:
            break;
        case MEM_DEVICE:
        case MEM_DEFAULT:
#ifdef NVSTUB_REAL_GPU
            p->dataPtr = (void *)(uintptr_t)nvstub_real_alloc(p->dataSize);
            break;
#endif
#if NVSTUB_SURFACE >= 8
            /* What some producers of DeepStream 8 do: no dataPtr, but a CUDA buffer. */
            p->cudaBuffer = calloc(1, sizeof(*p->cudaBuffer));
            p->cudaBuffer->dataPtr = (void *)(uintptr_t)(memory ^ STUB_DEVICE_BIT);
#else
            p->dataPtr = (void *)(uintptr_t)(memory ^ STUB_DEVICE_BIT);
#endif
            nvstub_tell_allocated(memory ^ STUB_DEVICE_BIT, p->dataSize, 2, 0);
            break;
        case MEM_PINNED:
        case MEM_UNIFIED:
            nvstub_tell_allocated(memory, p->dataSize, params->memType == MEM_PINNED ? 1 : 2, 0);
            /* fall through */
        default:
            p->dataPtr = (void *)(uintptr_t)memory;
        }
    }
    *out = surface;
    return 0;
}

STUB_EXPORT int NvBufSurfaceDestroy(NvBufSurface *surface) {
    for (uint32_t i = 0; i < surface->batchSize; i++) {
        nvstub_tell_freed(surface->surfaceList[i].bufferDesc);
        nvstub_tell_freed(surface->surfaceList[i].bufferDesc ^ STUB_DEVICE_BIT);
#ifdef NVSTUB_REAL_GPU
        if (surface->memType == MEM_DEVICE || surface->memType == MEM_DEFAULT)
            nvstub_real_free((uint64_t)(uintptr_t)surface->surfaceList[i].dataPtr);
#endif
        free((void *)(uintptr_t)surface->surfaceList[i].bufferDesc);
#if NVSTUB_SURFACE >= 8
        free(surface->surfaceList[i].cudaBuffer);
#endif
    }
    free(surface->surfaceList);
    free(surface);
    return 0;
}

static NvBufSurfaceParams *slot(NvBufSurface *surface, int index) {
    return index < 0 || (uint32_t)index >= surface->batchSize ? NULL : &surface->surfaceList[index];
}

STUB_EXPORT int NvBufSurfaceMap(NvBufSurface *surface, int index, int plane, int flags) {
    NvBufSurfaceParams *p = slot(surface, index);
    if (p == NULL || plane != -1 || flags != 0 || p->layout != 0 || p->mappedAddr.addr[0] != NULL ||
        (surface->memType != MEM_ARRAY && surface->memType != MEM_UNIFIED &&
         surface->memType != MEM_DEFAULT))
        return -1;
    for (uint32_t k = 0; k < p->planeParams.num_planes && k < 4; k++) {
        p->mappedAddr.addr[k] = malloc(p->planeParams.psize[k]);
        memset(p->mappedAddr.addr[k], 0xee, p->planeParams.psize[k]);
    }
    return 0;
}

STUB_EXPORT int NvBufSurfaceSyncForCpu(NvBufSurface *surface, int index, int plane) {
    NvBufSurfaceParams *p = slot(surface, index);
    if (p == NULL || plane < 0 || (uint32_t)plane >= p->planeParams.num_planes ||
        p->mappedAddr.addr[plane] == NULL)
        return -1;
    memcpy(p->mappedAddr.addr[plane],
           (char *)(uintptr_t)p->bufferDesc + p->planeParams.offset[plane],
           p->planeParams.psize[plane]);
    return 0;
}

STUB_EXPORT int NvBufSurfaceUnMap(NvBufSurface *surface, int index, int plane) {
    NvBufSurfaceParams *p = slot(surface, index);
    if (p == NULL || plane != -1 || p->mappedAddr.addr[0] == NULL)
        return -1;
    for (int k = 0; k < 4; k++) {
        free(p->mappedAddr.addr[k]);
        p->mappedAddr.addr[k] = NULL;
    }
    return 0;
}

STUB_EXPORT int NvBufSurfaceMapEglImage(NvBufSurface *surface, int index) {
    NvBufSurfaceParams *p = slot(surface, index);
    if (p == NULL || p->mappedAddr.eglImage != NULL || surface->memType != MEM_ARRAY)
        return -1;
    NvStubImage *image = calloc(1, sizeof(*image));
    *image = (NvStubImage){NVSTUB_IMAGE, false, false, p->bufferDesc, p->dataSize, p->width,
                           p->height, p->planeParams.pitch[0], p->planeParams.num_planes, {0}};
    memcpy(image->offset, p->planeParams.offset, sizeof(image->offset));
    /* Blocks stay blocks in CUDA, and so does what a test asks for. */
    image->as_array = p->layout != 0 || p->_reserved[0] != NULL;
    p->mappedAddr.eglImage = image;
    return 0;
}

STUB_EXPORT int NvBufSurfaceUnMapEglImage(NvBufSurface *surface, int index) {
    NvBufSurfaceParams *p = slot(surface, index);
    NvStubImage *image = p != NULL ? p->mappedAddr.eglImage : NULL;
    if (image == NULL || image->registered)
        return -1;
    free(image);
    p->mappedAddr.eglImage = NULL;
    return 0;
}

#if NVSTUB_SURFACE >= 8
STUB_EXPORT int NvBufSurfaceGetDeviceInfo(void *info) {
    memset(info, 0, 72);
    return 0;
}
#endif
