/*
 * Memory of a real GPU behind the stand-in's surfaces (NVSTUB_REAL_GPU, tests/gpu.rs): allocated and
 * filled by the driver, in the primary context of GPU 0. Everything but the list of frames is real
 * then.
 */
#include "nvstub.h"

#include <dlfcn.h>

static void *function(const char *name) {
    static void *driver;
    if (driver == NULL)
        driver = dlopen("libcuda.so.1", RTLD_NOW);
    void *found = driver ? dlsym(driver, name) : NULL;
    if (found == NULL)
        g_error("libcuda.so.1: no %s", name);
    return found;
}

static void check(const char *name, int code) {
    if (code != 0)
        g_error("%s: CUDA error %d", name, code);
}

/* Makes the context the thread's current one. */
static void enter(void) {
    static void *context;
    int device;
    if (context == NULL) {
        check("cuInit", ((int (*)(unsigned))function("cuInit"))(0));
        check("cuDeviceGet", ((int (*)(int *, int))function("cuDeviceGet"))(&device, 0));
        check("cuDevicePrimaryCtxRetain",
              ((int (*)(void **, int))function("cuDevicePrimaryCtxRetain"))(&context, device));
    }
    check("cuCtxPushCurrent", ((int (*)(void *))function("cuCtxPushCurrent_v2"))(context));
}

static void leave(void) {
    void *popped;
    check("cuCtxPopCurrent", ((int (*)(void **))function("cuCtxPopCurrent_v2"))(&popped));
}

uint64_t nvstub_real_alloc(size_t bytes) {
    uint64_t address;
    enter();
    check("cuMemAlloc", ((int (*)(uint64_t *, size_t))function("cuMemAlloc_v2"))(&address, bytes));
    leave();
    return address;
}

void nvstub_real_upload(uint64_t to, const void *from, size_t bytes) {
    enter();
    check("cuMemcpyHtoD",
          ((int (*)(uint64_t, const void *, size_t))function("cuMemcpyHtoD_v2"))(to, from, bytes));
    leave();
}

void nvstub_real_free(uint64_t address) {
    enter();
    check("cuMemFree", ((int (*)(uint64_t))function("cuMemFree_v2"))(address));
    leave();
}
