/*
 * libcuda.so.1: see nvstub.h. One "GPU", number 0, with a primary context and another one.
 *
 * Its memory is the host's, at addresses that crash when they are read. What is put into a stream is
 * done when a caller waits for it and not before, so that one that does not wait gets nothing; memory that
 * is freed while work that waits needs it ends the test, and what is read out of another context than
 * its own is an error. Kernels are the real ones, compiled for the host (kernel.c).
 */
#include "nvstub.h"

#include <stdlib.h>
#include <string.h>

enum { SUCCESS, INVALID_VALUE, OUT_OF_MEMORY, NOT_INITIALISED };
enum { INVALID_DEVICE = 101, INVALID_CONTEXT = 201, INVALID_IMAGE = 200, INVALID_HANDLE = 400 };
enum { NOT_FOUND = 500, ILLEGAL_ADDRESS = 700 };

/* Contexts, by address. */
static int primary, other;
static int ready;
static _Thread_local void *stack[16];
static _Thread_local int depth;

static GMutex lock;

typedef struct Memory {
    uint64_t address;
    size_t bytes;
    /* CU_MEMORYTYPE_HOST 1, DEVICE 2, what an EGL image has 0. */
    int type;
    void *context, *owned;
    struct Memory *next;
} Memory;
static Memory *memories;

/* Work that waits in a stream. */
typedef struct Work {
    int kernel;
    unsigned grid[3], block[3];
    /* Of a copy; `from` is 0 where it is of the host's memory. */
    uint64_t to, from;
    size_t bytes;
    struct Work *next;
    unsigned char data[];
} Work;
static Work *first_work, **last_work = &first_work;

static void *current(void) {
    return depth > 0 ? stack[depth - 1] : NULL;
}

static Memory *find(uint64_t address, size_t bytes) {
    for (Memory *m = memories; m != NULL; m = m->next)
        if (address >= m->address && address - m->address + bytes <= m->bytes)
            return m;
    return NULL;
}

STUB_EXPORT void nvstub_allocated(uint64_t address, size_t bytes, int type, int context) {
    Memory *m = calloc(1, sizeof(*m));
    *m = (Memory){address, bytes, type, context == 0 ? &primary : &other, NULL, NULL};
    g_mutex_lock(&lock);
    m->next = memories;
    memories = m;
    g_mutex_unlock(&lock);
}

/* Whether work that waits reads or writes there. A kernel's argument begins with its addresses. */
static bool in_use(const Memory *m) {
    for (Work *work = first_work; work != NULL; work = work->next) {
        uint64_t at[9] = {work->to, work->from};
        if (work->kernel >= 0)
            memcpy(at, work->data, sizeof(at));
        for (int i = 0; i < 9; i++)
            if (at[i] >= m->address && at[i] - m->address < m->bytes)
                return true;
    }
    return false;
}

static void *forget(uint64_t address) {
    void *owned = NULL;
    g_mutex_lock(&lock);
    for (Memory **m = &memories; *m != NULL; m = &(*m)->next)
        if ((*m)->address == address) {
            Memory *gone = *m;
            if (in_use(gone))
                g_error("memory is freed that a stream has still to read or to write");
            *m = gone->next;
            owned = gone->owned;
            free(gone);
            break;
        }
    g_mutex_unlock(&lock);
    return owned;
}

STUB_EXPORT void nvstub_freed(uint64_t address) {
    forget(address);
}

/* The host's address of what the current context reads at a GPU's. */
static uint64_t host(uint64_t address) {
    Memory *m = find(address, 1);
    if (m == NULL || m->context != current())
        return 0;
    return address & STUB_DEVICE_BIT ? address ^ STUB_DEVICE_BIT : address;
}

STUB_EXPORT int cuInit(unsigned flags) {
    ready = flags == 0;
    return SUCCESS;
}

STUB_EXPORT int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return !ready ? NOT_INITIALISED : ordinal == 0 ? SUCCESS : INVALID_DEVICE;
}

STUB_EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = &primary;
    return device == 0 ? SUCCESS : INVALID_DEVICE;
}

STUB_EXPORT int cuCtxPushCurrent_v2(void *context) {
    if ((context != &primary && context != &other) || depth == 16)
        return INVALID_CONTEXT;
    stack[depth++] = context;
    return SUCCESS;
}

STUB_EXPORT int cuCtxPopCurrent_v2(void **context) {
    if (depth == 0)
        return INVALID_CONTEXT;
    *context = stack[--depth];
    return SUCCESS;
}

STUB_EXPORT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
    if (depth == 0)
        return INVALID_CONTEXT;
    g_mutex_lock(&lock);
    Memory *m = find(from, bytes);
    if (m != NULL)
        memcpy(to, (void *)(uintptr_t)(from ^ STUB_DEVICE_BIT), bytes);
    g_mutex_unlock(&lock);
    return m != NULL ? SUCCESS : INVALID_VALUE;
}

STUB_EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
    if (depth == 0)
        return INVALID_CONTEXT;
    g_mutex_lock(&lock);
    Memory *m = find(to, bytes);
    if (m != NULL)
        memcpy((void *)(uintptr_t)(to ^ STUB_DEVICE_BIT), from, bytes);
    g_mutex_unlock(&lock);
    return m != NULL ? SUCCESS : INVALID_VALUE;
}

STUB_EXPORT int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    if (depth == 0)
        return INVALID_CONTEXT;
    void *memory = malloc(bytes);
    memset(memory, 0xee, bytes);
    *address = (uint64_t)(uintptr_t)memory ^ STUB_DEVICE_BIT;
    nvstub_allocated(*address, bytes, 2, current() == &primary ? 0 : 1);
    memories->owned = memory;
    return SUCCESS;
}

STUB_EXPORT int cuMemFree_v2(uint64_t address) {
    if (depth == 0)
        return INVALID_CONTEXT;
    void *memory = forget(address);
    free(memory);
    return memory != NULL ? SUCCESS : INVALID_VALUE;
}

STUB_EXPORT int cuPointerGetAttribute(void *data, int attribute, uint64_t address) {
    if (depth == 0)
        return INVALID_CONTEXT;
    g_mutex_lock(&lock);
    Memory *m = find(address, 1);
    int code = m == NULL || m->type == 0 ? INVALID_VALUE : SUCCESS;
    if (code == SUCCESS)
        switch (attribute) {
        case 1: *(void **)data = m->context; break;
        case 2: *(unsigned *)data = m->type; break;
        case 9: *(int *)data = 0; break;
        case 11: *(uint64_t *)data = m->address; break;
        case 12: *(size_t *)data = m->bytes; break;
        default: code = INVALID_VALUE;
        }
    g_mutex_unlock(&lock);
    return code;
}

STUB_EXPORT int cuStreamCreate(void **stream, unsigned flags) {
    if (depth == 0)
        return INVALID_CONTEXT;
    *stream = malloc(1);
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}

static void put(Work *work) {
    work->next = NULL;
    g_mutex_lock(&lock);
    *last_work = work;
    last_work = &work->next;
    g_mutex_unlock(&lock);
}

/* Does all that waits. */
static int drain(void) {
    int code = SUCCESS;
    g_mutex_lock(&lock);
    while (first_work != NULL) {
        Work *work = first_work;
        first_work = work->next;
        if (work->kernel >= 0) {
            if (nvstub_translate(work->data, host))
                nvstub_run(work->kernel, work->grid, work->block, work->data);
            else
                code = ILLEGAL_ADDRESS;
        } else {
            uint64_t to = find(work->to, work->bytes) ? host(work->to) : 0;
            if (to != 0)
                memcpy((void *)(uintptr_t)to, work->data, work->bytes);
            else
                code = ILLEGAL_ADDRESS;
        }
        free(work);
    }
    last_work = &first_work;
    g_mutex_unlock(&lock);
    return code;
}

STUB_EXPORT int cuStreamSynchronize(void *stream) {
    return depth == 0 ? INVALID_CONTEXT : stream == NULL ? INVALID_HANDLE : drain();
}

STUB_EXPORT int cuStreamDestroy_v2(void *stream) {
    free(stream);
    return depth == 0 ? INVALID_CONTEXT : drain();
}

static int synchronised;

STUB_EXPORT int cuCtxSynchronize(void) {
    if (depth == 0)
        return INVALID_CONTEXT;
    if (current() == &other)
        synchronised++;
    return current() == &primary ? drain() : SUCCESS;
}

/* A copy of the host's memory is of what is there now; one within the GPU is of what is there then,
   which is the same here, because nothing else writes. */
static int copy(uint64_t to, uint64_t address, const void *from, size_t bytes) {
    Work *work = malloc(sizeof(*work) + bytes);
    *work = (Work){.kernel = -1, .to = to, .from = address, .bytes = bytes};
    memcpy(work->data, from, bytes);
    put(work);
    return SUCCESS;
}

STUB_EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
    if (depth == 0 || stream == NULL)
        return INVALID_CONTEXT;
    return copy(to, 0, from, bytes);
}

STUB_EXPORT int cuMemcpyPeerAsync(uint64_t to, void *to_context, uint64_t from, void *from_context,
                                  size_t bytes, void *stream) {
    if (depth == 0 || stream == NULL)
        return INVALID_CONTEXT;
    g_mutex_lock(&lock);
    Memory *source = find(from, bytes), *target = find(to, bytes);
    int code = SUCCESS;
    if (source == NULL || target == NULL || source->context != from_context ||
        target->context != to_context)
        code = INVALID_VALUE;
    g_mutex_unlock(&lock);
    /* No context may read what another still writes. */
    if (code != SUCCESS || synchronised == 0)
        return INVALID_VALUE;
    return copy(to, from, (const void *)(uintptr_t)(from ^ STUB_DEVICE_BIT), bytes);
}

STUB_EXPORT int cuModuleLoadData(void **module, const void *image) {
    if (depth == 0)
        return INVALID_CONTEXT;
    *module = &primary;
    const char *text = image;
    return strstr(text, ".target sm_50") && strstr(text, ".entry gaze_resize") ? SUCCESS
                                                                              : INVALID_IMAGE;
}

STUB_EXPORT int cuModuleGetFunction(void **function, void *module, const char *name) {
    int kernel = nvstub_kernel(name);
    *function = (void *)(intptr_t)(kernel + 1);
    return module != &primary ? INVALID_HANDLE : kernel < 0 ? NOT_FOUND : SUCCESS;
}

STUB_EXPORT int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                               unsigned block_x, unsigned block_y, unsigned block_z,
                               unsigned shared, void *stream, void **parameters, void **extra) {
    int kernel = (int)(intptr_t)function - 1;
    if (depth == 0)
        return INVALID_CONTEXT;
    if (kernel < 0 || kernel > 2 || stream == NULL)
        return INVALID_HANDLE;
    if (grid_x == 0 || grid_y == 0 || grid_z != 1 || block_x * block_y > 1024 || block_z != 1 ||
        shared != 0 || extra != NULL)
        return INVALID_VALUE;
    size_t bytes = nvstub_picture_size();
    Work *work = malloc(sizeof(*work) + bytes);
    *work = (Work){.kernel = kernel,
                   .grid = {grid_x, grid_y, grid_z},
                   .block = {block_x, block_y, block_z}};
    memcpy(work->data, parameters[0], bytes);
    put(work);
    return SUCCESS;
}

/* ---- EGL ---- */

typedef struct {
    union {
        void *array[3];
        void *pitch[3];
    } frame;
    unsigned width, height, depth, pitch, planeCount, numChannels;
    int frameType, eglColorFormat, cuFormat;
} CUeglFrame;
_Static_assert(sizeof(CUeglFrame) == 64, "CUeglFrame");

STUB_EXPORT int cuGraphicsEGLRegisterImage(void **resource, void *image, unsigned flags) {
    NvStubImage *egl = image;
    if (depth == 0)
        return INVALID_CONTEXT;
    if (egl->magic != NVSTUB_IMAGE || egl->registered || flags != 0)
        return INVALID_VALUE;
    egl->registered = true;
    *resource = egl;
    nvstub_allocated(egl->memory ^ STUB_DEVICE_BIT, egl->bytes, 0, 0);
    return SUCCESS;
}

STUB_EXPORT int cuGraphicsResourceGetMappedEglFrame(void *to, void *resource, unsigned index,
                                                    unsigned level) {
    NvStubImage *egl = resource;
    if (depth == 0)
        return INVALID_CONTEXT;
    if (egl->magic != NVSTUB_IMAGE || !egl->registered || index != 0 || level != 0)
        return INVALID_VALUE;
    CUeglFrame frame = {.width = egl->width,
                        .height = egl->height,
                        .depth = 1,
                        .pitch = egl->pitch,
                        .planeCount = egl->planes,
                        .numChannels = 1,
                        .frameType = egl->as_array ? 0 : 1};
    for (unsigned k = 0; k < egl->planes && k < 3; k++)
        frame.frame.pitch[k] = (void *)(uintptr_t)((egl->memory + egl->offset[k]) ^ STUB_DEVICE_BIT);
    memcpy(to, &frame, sizeof(frame));
    return SUCCESS;
}

STUB_EXPORT int cuGraphicsUnregisterResource(void *resource) {
    NvStubImage *egl = resource;
    if (depth == 0)
        return INVALID_CONTEXT;
    if (egl->magic != NVSTUB_IMAGE || !egl->registered)
        return INVALID_HANDLE;
    egl->registered = false;
    forget(egl->memory ^ STUB_DEVICE_BIT);
    return SUCCESS;
}
