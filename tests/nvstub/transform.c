/* libnvbufsurftransform.so: see nvstub.h. "Block-linear" rows are upside down. */
#include "nvstub.h"

#include <string.h>

STUB_EXPORT int NvBufSurfTransformSetSessionParams(void *config) { return config ? 0 : -3; }

STUB_EXPORT int NvBufSurfTransform(NvBufSurface *src, NvBufSurface *dst, void *params) {
    if (params == NULL || src->numFilled != 1 || dst->numFilled != 1)
        return -3;
    NvBufSurfaceParams *from = src->surfaceList, *to = dst->surfaceList;
    if (from->colorFormat != to->colorFormat || from->width != to->width || to->layout != 0)
        return -3;
    for (uint32_t k = 0; k < from->planeParams.num_planes; k++) {
        uint32_t rows = from->planeParams.height[k];
        for (uint32_t y = 0; y < rows; y++)
            memcpy((char *)(uintptr_t)to->bufferDesc + to->planeParams.offset[k] +
                       (size_t)y * to->planeParams.pitch[k],
                   (char *)(uintptr_t)from->bufferDesc + from->planeParams.offset[k] +
                       (size_t)(rows - 1 - y) * from->planeParams.pitch[k],
                   from->planeParams.width[k]);
    }
    return 0;
}
