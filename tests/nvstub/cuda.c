/* libcuda.so.1: see nvstub.h. One "GPU", number 0. */
#include "nvstub.h"

#include <string.h>

static int ready, depth;

STUB_EXPORT int cuInit(unsigned flags) {
    ready = flags == 0;
    return 0;
}

STUB_EXPORT int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return !ready ? 3 : ordinal == 0 ? 0 : 101;
}

STUB_EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = &ready;
    return device == 0 ? 0 : 101;
}

STUB_EXPORT int cuCtxPushCurrent_v2(void *context) {
    depth++;
    return context == &ready ? 0 : 201;
}

STUB_EXPORT int cuCtxPopCurrent_v2(void **context) {
    *context = &ready;
    return depth-- > 0 ? 0 : 201;
}

STUB_EXPORT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
    if (depth <= 0)
        return 201;
    memcpy(to, (void *)(uintptr_t)(from ^ STUB_DEVICE_BIT), bytes);
    return 0;
}
