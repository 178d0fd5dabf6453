/*
 * A stand-in for NVIDIA's libraries, for tests alone: it exports the documented symbols of
 * libnvbufsurface, libnvbufsurftransform, libcuda and DeepStream's metadata libraries over plain
 * host memory, so that the plugin's way from an NVMM buffer to NvDs metadata runs where there is
 * neither a GPU nor DeepStream. It proves that the plugin calls what the documentation says, in the
 * right order and with the right layouts; it proves nothing about NVIDIA's own code.
 *
 * To catch what real hardware would punish: a mapped plane is empty until it is synchronised for the
 * CPU, memory of a surface array and of a "GPU" has no address that can be read, and block-linear
 * frames have their rows upside down until they are transformed. cuda.c says what its "GPU" does.
 *
 * Compiled for NVSTUB_SURFACE 7 (up to DeepStream 7.1) or 8, and NVSTUB_META 8 (DeepStream 5 to 8)
 * or 9. The structures follow the published headers' layouts and are independent of the plugin's.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef NVSTUB_H
#define NVSTUB_H

#include <dlfcn.h>
#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#define STUB_EXPORT __attribute__((visibility("default")))
#define STUB_WEAK __attribute__((weak, visibility("default")))

/* A "device" address is the host's with this bit flipped: reading it crashes. */
#define STUB_DEVICE_BIT (1ull << 62)

enum { MEM_DEFAULT, MEM_PINNED, MEM_DEVICE, MEM_UNIFIED, MEM_ARRAY, MEM_HANDLE, MEM_SYSTEM };

typedef struct {
    uint32_t num_planes, width[4], height[4], pitch[4], offset[4], psize[4], bytesPerPix[4];
    void *_reserved[16];
} NvBufSurfacePlaneParams;

typedef struct {
    void *addr[4], *eglImage;
#if NVSTUB_SURFACE >= 8
    void *nvmmPtr, *cudaPtr;
#endif
    void *_reserved[4];
} NvBufSurfaceMappedAddr;

typedef struct {
    void *basePtr, *dataPtr, *extMem, *mipmap;
    uint8_t reserved[64];
} NvBufSurfaceCudaBuffer;

typedef struct {
    uint32_t width, height, pitch;
    int colorFormat, layout;
    uint64_t bufferDesc;
    uint32_t dataSize;
    void *dataPtr;
    NvBufSurfacePlaneParams planeParams;
    NvBufSurfaceMappedAddr mappedAddr;
    void *paramex;
#if NVSTUB_SURFACE >= 8
    NvBufSurfaceCudaBuffer *cudaBuffer;
    void *_reserved[4];
#else
    void *_reserved[3];
#endif
} NvBufSurfaceParams;

typedef struct {
    uint32_t gpuId, batchSize, numFilled;
    bool isContiguous;
    int memType;
    NvBufSurfaceParams *surfaceList;
#if NVSTUB_SURFACE >= 8
    bool isImportedBuf;
#endif
    void *_reserved[4];
} NvBufSurface;

typedef struct {
    uint32_t gpuId, width, height, size;
    bool isContiguous;
    int colorFormat, layout, memType;
#if NVSTUB_SURFACE >= 8
    void *_reserved[4];
#endif
} NvBufSurfaceCreateParams;

_Static_assert(sizeof(NvBufSurface) == (NVSTUB_SURFACE >= 8 ? 72 : 64), "NvBufSurface");
_Static_assert(sizeof(NvBufSurfaceParams) == (NVSTUB_SURFACE >= 8 ? 416 : 384), "Params");
_Static_assert(sizeof(NvBufSurfaceMappedAddr) == (NVSTUB_SURFACE >= 8 ? 88 : 72), "MappedAddr");
_Static_assert(sizeof(NvBufSurfaceCreateParams) == (NVSTUB_SURFACE >= 8 ? 64 : 32), "Create");

typedef struct NvDsBatchMeta NvDsBatchMeta;
typedef gpointer (*NvDsMetaCopyFunc)(gpointer data, gpointer user_data);
typedef void (*NvDsMetaReleaseFunc)(gpointer data, gpointer user_data);

typedef struct {
    NvDsBatchMeta *batch_meta;
    int meta_type;
    void *uContext;
    NvDsMetaCopyFunc copy_func;
    NvDsMetaReleaseFunc release_func;
} NvDsBaseMeta;

typedef struct {
    int meta_type;
    uint32_t max_elements_in_pool, element_size, num_empty_elements, num_full_elements;
    GList *empty_list, *full_list;
    NvDsMetaCopyFunc copy_func;
    NvDsMetaReleaseFunc release_func;
} NvDsMetaPool;

struct NvDsBatchMeta {
    NvDsBaseMeta base_meta;
    uint32_t max_frames_in_batch, num_frames_in_batch;
    NvDsMetaPool *frame_meta_pool, *obj_meta_pool, *classifier_meta_pool, *display_meta_pool,
        *user_meta_pool, *label_info_meta_pool;
    GList *frame_meta_list, *batch_user_meta_list;
    GRecMutex meta_mutex;
    int64_t misc_batch_info[4], reserved[4];
};
_Static_assert(sizeof(NvDsBatchMeta) == 192, "NvDsBatchMeta");

typedef struct {
    NvDsBaseMeta base_meta;
    uint32_t pad_index, batch_id;
    int frame_num;
    uint64_t buf_pts, ntp_timestamp;
    uint32_t source_id;
    int num_surfaces_per_frame;
    uint32_t source_frame_width, source_frame_height, surface_type, surface_index, num_obj_meta;
    gboolean bInferDone;
    GList *obj_meta_list, *display_meta_list, *frame_user_meta_list;
    int64_t misc_frame_info[4];
    uint32_t pipeline_width, pipeline_height;
    int64_t sensor_info[4], reserved[4];
} NvDsFrameMeta;
_Static_assert(sizeof(NvDsFrameMeta) == 232, "NvDsFrameMeta");

typedef struct {
    double red, green, blue, alpha;
} NvOSD_ColorParams;

typedef struct {
    float left, top, width, height;
    uint32_t border_width;
    NvOSD_ColorParams border_color;
    uint32_t has_bg_color, reserved;
    NvOSD_ColorParams bg_color;
    int has_color_info, color_id;
#if NVSTUB_META >= 9
    float rotation_angle;
#endif
} NvOSD_RectParams;

typedef struct {
    uint32_t x1, y1, x2, y2, arrow_width;
    int arrow_head;
    NvOSD_ColorParams arrow_color;
    uint32_t reserved;
} NvOSD_ArrowParams;

typedef struct {
    NvDsBaseMeta base_meta;
    void *parent;
    int unique_component_id, class_id;
    uint64_t object_id;
    float detector_bbox_info[4], tracker_bbox_info[4], confidence, tracker_confidence;
    NvOSD_RectParams rect_params;
    uint64_t mask_params[3], text_params[13];
    char obj_label[128];
    GList *classifier_meta_list, *obj_user_meta_list;
    int64_t misc_obj_info[4], reserved[4];
} NvDsObjectMeta;
_Static_assert(sizeof(NvDsObjectMeta) == (NVSTUB_META >= 9 ? 552 : 544), "NvDsObjectMeta");

typedef struct {
    NvDsBaseMeta base_meta;
    uint32_t num_rects, num_labels, num_lines, num_arrows, num_circles;
    NvOSD_RectParams rect_params[16];
    uint64_t text_params[16][13], line_params[16][7];
    NvOSD_ArrowParams arrow_params[16];
    uint64_t circle_params[16][12];
    int64_t misc_osd_data[4], reserved[4];
} NvDsDisplayMeta;
_Static_assert(sizeof(NvDsDisplayMeta) == (NVSTUB_META >= 9 ? 7040 : 6912), "NvDsDisplayMeta");

typedef struct {
    NvDsBaseMeta base_meta;
    void *user_meta_data;
} NvDsUserMeta;

/* What stands for an EGLImageKHR: a frame that lies at `memory`. */
#define NVSTUB_IMAGE 0x45474c31
typedef struct {
    uint32_t magic;
    bool registered, as_array;
    uint64_t memory;
    uint32_t bytes, width, height, pitch, planes, offset[4];
} NvStubImage;

/* Tells the stand-in for libcuda, where it is there, of memory that it is to know: type 1 is the
   host's, 2 a GPU's; context 0 is the primary one, 1 the other. */
STUB_WEAK void nvstub_allocated(uint64_t address, size_t bytes, int type, int context);
STUB_WEAK void nvstub_freed(uint64_t address);

/* A function of that stand-in, for a process that was not linked with it and finds it by its name. */
static inline void *nvstub_cuda(const char *name) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    return library != NULL ? dlsym(library, name) : NULL;
}

static inline void nvstub_tell_allocated(uint64_t address, size_t bytes, int type, int context) {
    void (*tell)(uint64_t, size_t, int, int) = nvstub_allocated;
    if (tell == NULL)
        tell = nvstub_cuda("nvstub_allocated");
    if (tell != NULL)
        tell(address, bytes, type, context);
}

static inline void nvstub_tell_freed(uint64_t address) {
    void (*tell)(uint64_t) = nvstub_freed;
    if (tell == NULL)
        tell = nvstub_cuda("nvstub_freed");
    if (tell != NULL)
        tell(address);
}

#ifdef NVSTUB_REAL_GPU
/* real.c */
uint64_t nvstub_real_alloc(size_t bytes);
void nvstub_real_upload(uint64_t to, const void *from, size_t bytes);
void nvstub_real_free(uint64_t address);
#endif

/* kernel.c */
int nvstub_kernel(const char *name);
size_t nvstub_picture_size(void);
int nvstub_translate(void *argument, uint64_t (*host)(uint64_t address));
void nvstub_run(int kernel, const unsigned grid[3], const unsigned block[3], const void *argument);

/* The GstMeta that holds a batch. */
typedef struct {
    GstMeta meta;
    NvDsBatchMeta *batch;
} NvStubMeta;

int NvBufSurfaceCreate(NvBufSurface **surface, uint32_t batch, NvBufSurfaceCreateParams *params);
int NvBufSurfaceDestroy(NvBufSurface *surface);

NvDsBatchMeta *nvds_create_batch_meta(unsigned max_frames);
NvDsBatchMeta *gst_buffer_get_nvds_batch_meta(GstBuffer *buffer);
int nvds_get_user_meta_type(char *name);
NvDsFrameMeta *nvds_acquire_frame_meta_from_pool(NvDsBatchMeta *batch);
void nvds_add_frame_meta_to_batch(NvDsBatchMeta *batch, NvDsFrameMeta *frame);
NvDsObjectMeta *nvds_acquire_obj_meta_from_pool(NvDsBatchMeta *batch);
void nvds_add_obj_meta_to_frame(NvDsFrameMeta *frame, NvDsObjectMeta *object, NvDsObjectMeta *parent);
/* Not NVIDIA's: attaches a batch to a buffer, which owns it from then on. */
void nvstub_attach(GstBuffer *buffer, NvDsBatchMeta *batch);

#endif
