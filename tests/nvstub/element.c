/*
 * Three elements for tests alone (see nvstub.h).
 *
 * nvstubmux: what nvstreammux is to gazeinfer. Collects batch-size frames of system memory and gives
 * one batch of surfaces, a source for each frame, with regions of interest as objects: class 0 for
 * "face", 1 for others; the region's id (if not 0) as object_id. Its properties make the kinds of
 * memory and the lies that tests need.
 *
 * nvstubread: reads the gaze from the metadata as a C program would, with include/gazemeta.h, and
 * posts an element message "gaze-object" for each object and "arrow" for each arrow.
 *
 * nvstubupload: what cudaupload is: frames of system memory in CUDA memory of GStreamer's kind, which
 * belongs to another context than the primary one.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "nvstub.h"

#include "gazemeta.h"
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

/* GST_VIDEO_FORMATs and NvBufSurfaceColorFormats: BT.601 limited, full, BT.709 limited, full. */
static const struct {
    GstVideoFormat video;
    int surface[4];
} formats[] = {
    {GST_VIDEO_FORMAT_NV12, {6, 7, 33, 34}},
    {GST_VIDEO_FORMAT_NV21, {8, 9, 0, 0}},
    {GST_VIDEO_FORMAT_I420, {2, 4, 31, 32}},
    {GST_VIDEO_FORMAT_YV12, {3, 5, 0, 0}},
    {GST_VIDEO_FORMAT_YUY2, {14, 15, 0, 0}},
    {GST_VIDEO_FORMAT_UYVY, {10, 11, 89, 90}},
    {GST_VIDEO_FORMAT_GRAY8, {1, 88, 1, 88}},
    {GST_VIDEO_FORMAT_RGB, {27, 27, 27, 27}},
    {GST_VIDEO_FORMAT_BGR, {28, 28, 28, 28}},
    {GST_VIDEO_FORMAT_RGBA, {19, 19, 19, 19}},
    {GST_VIDEO_FORMAT_BGRA, {20, 20, 20, 20}},
    {GST_VIDEO_FORMAT_ARGB, {21, 21, 21, 21}},
    {GST_VIDEO_FORMAT_ABGR, {22, 22, 22, 22}},
    {GST_VIDEO_FORMAT_RGBx, {23, 23, 23, 23}},
    {GST_VIDEO_FORMAT_BGRx, {24, 24, 24, 24}},
    {GST_VIDEO_FORMAT_xRGB, {25, 25, 25, 25}},
    {GST_VIDEO_FORMAT_xBGR, {26, 26, 26, 26}},
};

static int surface_format(const GstVideoInfo *info) {
    int column = (info->colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709 ? 2 : 0) +
                 (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? 1 : 0);
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].video == GST_VIDEO_INFO_FORMAT(info))
            return formats[i].surface[column];
    return 0;
}

/* ---- nvstubmux ---- */

typedef struct {
    GstElement parent;
    GstPad *sink, *src;
    GstVideoInfo info;
    GQueue frames;
    guint batch_size, mem_type, layout;
    guint64 gaps;
    gboolean metadata;
    char *fault;
} NvStubMux;
typedef GstElementClass NvStubMuxClass;

enum { PROP_BATCH = 1, PROP_MEM, PROP_LAYOUT, PROP_GAPS, PROP_METADATA, PROP_FAULT };

G_DEFINE_TYPE(NvStubMux, nvstub_mux, GST_TYPE_ELEMENT)

static GstStaticPadTemplate mux_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));
static GstStaticPadTemplate mux_src = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(memory:NVMM)"));

/* What a buffer's memory is: the descriptor that downstream sees, which may lie, and the one that
   frees the frames. */
typedef struct {
    NvBufSurface shown, *owner;
    /* Memory of a pool may be larger than what is in it. */
    char padding[64];
} Descriptor;

static void destroy(gpointer data) {
    Descriptor *descriptor = data;
    NvBufSurfaceDestroy(descriptor->owner);
    g_free(descriptor);
}

/* Copies a frame into a slot; block-linear ones upside down. */
static gboolean fill(NvBufSurface *surface, guint index, GstBuffer *buffer, GstVideoInfo *info) {
    NvBufSurfaceParams *p = &surface->surfaceList[index];
    GstVideoFrame frame;
    if (!gst_video_frame_map(&frame, info, buffer, GST_MAP_READ))
        return FALSE;
    for (guint k = 0; k < p->planeParams.num_planes; k++) {
        guint rows = p->planeParams.height[k];
        for (guint y = 0; y < rows; y++) {
            guint to = p->layout == 0 ? y : rows - 1 - y;
            memcpy((char *)(uintptr_t)p->bufferDesc + p->planeParams.offset[k] +
                       (gsize)to * p->planeParams.pitch[k],
                   (char *)GST_VIDEO_FRAME_PLANE_DATA(&frame, k) +
                       (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, k),
                   p->planeParams.width[k]);
        }
    }
    gst_video_frame_unmap(&frame);
#ifdef NVSTUB_REAL_GPU
    if (surface->memType == MEM_DEVICE || surface->memType == MEM_DEFAULT)
        nvstub_real_upload((uint64_t)(uintptr_t)p->dataPtr, (void *)(uintptr_t)p->bufferDesc,
                           p->dataSize);
#endif
    return TRUE;
}

static NvDsFrameMeta *describe(NvDsBatchMeta *batch, guint index, GstBuffer *buffer,
                               GstVideoInfo *info) {
    NvDsFrameMeta *frame = nvds_acquire_frame_meta_from_pool(batch);
    frame->batch_id = index;
    frame->pad_index = index;
    frame->source_id = index;
    frame->source_frame_width = GST_VIDEO_INFO_WIDTH(info);
    frame->source_frame_height = GST_VIDEO_INFO_HEIGHT(info);
    gpointer state = NULL;
    GstMeta *meta;
    while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                    GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
        GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *)meta;
        NvDsObjectMeta *object = nvds_acquire_obj_meta_from_pool(batch);
        object->unique_component_id = 1;
        object->class_id = roi->roi_type == g_quark_from_string("face") ? 0 : 1;
        object->object_id = roi->id != 0 ? (guint64)roi->id : G_MAXUINT64;
        object->confidence = 0.5f;
        object->rect_params.left = roi->x;
        object->rect_params.top = roi->y;
        object->rect_params.width = roi->w;
        object->rect_params.height = roi->h;
        nvds_add_obj_meta_to_frame(frame, object, NULL);
        frame->bInferDone = TRUE;
    }
    return frame;
}

/* Makes the batch lie. */
static void spoil(NvBufSurface *s, const char *fault) {
    NvBufSurfaceParams *p = &s->surfaceList[0];
    if (strcmp(fault, "mem-type") == 0)
        s->memType = 77;
    else if (strcmp(fault, "batch-size-0") == 0)
        s->batchSize = 0;
    else if (strcmp(fault, "too-full") == 0)
        s->numFilled = s->batchSize + 1;
    else if (strcmp(fault, "no-list") == 0)
        s->surfaceList = NULL;
    else if (strcmp(fault, "planes") == 0)
        p->planeParams.num_planes = p->planeParams.num_planes == 1 ? 2 : 1;
    else if (strcmp(fault, "many-planes") == 0)
        p->planeParams.num_planes = 1000;
    else if (strcmp(fault, "pitch") == 0)
        p->planeParams.pitch[0] = 3;
    else if (strcmp(fault, "long-pitch") == 0)
        p->planeParams.pitch[0] = 0x40000000;
    else if (strcmp(fault, "offset") == 0)
        p->planeParams.offset[0] = 0xfffffff0u;
    else if (strcmp(fault, "psize") == 0)
        p->planeParams.psize[0] = 1;
    else if (strcmp(fault, "format") == 0)
        p->colorFormat = 9999;
    else if (strcmp(fault, "no-data") == 0)
        p->dataPtr = NULL;
    else if (strcmp(fault, "size") == 0)
        p->width = 0;
    else if (strcmp(fault, "egl-array") == 0)
        p->_reserved[0] = p;
    else if (strcmp(fault, "gpu-1") == 0)
        s->gpuId = 1;
    else if (strcmp(fault, "data-size") == 0)
        p->dataSize += 1 << 20, p->planeParams.offset[0] += 1 << 19;
    else if (strcmp(fault, "huge") == 0)
        p->width = p->height = 0xffffffffu;
    else
        g_error("nvstubmux: no fault '%s'", fault);
}

static GstFlowReturn finish(NvStubMux *self) {
    guint filled = g_queue_get_length(&self->frames);
    if (filled == 0)
        return GST_FLOW_OK;
    NvBufSurfaceCreateParams params = {0};
    params.width = GST_VIDEO_INFO_WIDTH(&self->info);
    params.height = GST_VIDEO_INFO_HEIGHT(&self->info);
    params.colorFormat = surface_format(&self->info);
    params.memType = self->mem_type;
    params.layout = self->layout;
    NvBufSurface *surface;
    /* Room for more than is filled, as in a batch that timed out. */
    if (NvBufSurfaceCreate(&surface, self->batch_size + 1, &params) != 0)
        return GST_FLOW_NOT_NEGOTIATED;
    surface->numFilled = filled;
    NvDsBatchMeta *batch = self->metadata ? nvds_create_batch_meta(filled) : NULL;
    GList *metas = NULL;
    GstClockTime pts = GST_CLOCK_TIME_NONE;
    for (guint i = 0; i < filled; i++) {
        GstBuffer *frame = g_queue_pop_head(&self->frames);
        pts = GST_BUFFER_PTS(frame);
        gboolean gap = (self->gaps >> i) & 1;
        if (!gap) {
            fill(surface, i, frame, &self->info);
            /* The list's order is not the batch's. */
            if (batch != NULL)
                metas = g_list_prepend(metas, describe(batch, i, frame, &self->info));
        } else {
            /* A slot that no element may read. */
            surface->surfaceList[i].planeParams.num_planes = 77;
        }
        gst_buffer_unref(frame);
    }
    for (GList *m = metas; m != NULL; m = m->next)
        nvds_add_frame_meta_to_batch(batch, m->data);
    g_list_free(metas);

    Descriptor *descriptor = g_new(Descriptor, 1);
    descriptor->shown = *surface;
    descriptor->owner = surface;
    GstBuffer *out = gst_buffer_new();
    gsize size = sizeof(descriptor->shown), maxsize = size;
    if (self->fault != NULL && strcmp(self->fault, "short") == 0)
        size = 8;
    else if (self->fault != NULL && strcmp(self->fault, "padded") == 0)
        size = maxsize = sizeof(*descriptor);
    else if (self->fault != NULL)
        spoil(&descriptor->shown, self->fault);
    gst_buffer_append_memory(out, gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, descriptor,
                                                         maxsize, 0, size, descriptor, destroy));
    if (batch != NULL)
        nvstub_attach(out, batch);
    GST_BUFFER_PTS(out) = pts;
    return gst_pad_push(self->src, out);
}

static GstFlowReturn mux_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
    NvStubMux *self = (NvStubMux *)parent;
    (void)pad;
    g_queue_push_tail(&self->frames, buffer);
    return g_queue_get_length(&self->frames) < self->batch_size ? GST_FLOW_OK : finish(self);
}

static gboolean mux_event(GstPad *pad, GstObject *parent, GstEvent *event) {
    NvStubMux *self = (NvStubMux *)parent;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps;
        gst_event_parse_caps(event, &caps);
        if (!gst_video_info_from_caps(&self->info, caps) || surface_format(&self->info) == 0) {
            gst_event_unref(event);
            return FALSE;
        }
        caps = gst_caps_copy(caps);
        gst_caps_set_features(caps, 0, gst_caps_features_new("memory:NVMM", NULL));
        gst_event_unref(event);
        event = gst_event_new_caps(caps);
        gst_caps_unref(caps);
        return gst_pad_push_event(self->src, event);
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        finish(self);
    return gst_pad_event_default(pad, parent, event);
}

static gboolean mux_query(GstPad *pad, GstObject *parent, GstQuery *query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS) {
        GstCaps *caps = gst_static_pad_template_get_caps(&mux_sink);
        gst_query_set_caps_result(query, caps);
        gst_caps_unref(caps);
        return TRUE;
    }
    if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
        gst_query_set_accept_caps_result(query, TRUE);
        return TRUE;
    }
    return GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION
               ? FALSE
               : gst_pad_query_default(pad, parent, query);
}

static void mux_set(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
    NvStubMux *self = (NvStubMux *)object;
    (void)spec;
    switch (id) {
    case PROP_BATCH: self->batch_size = g_value_get_uint(value); break;
    case PROP_MEM: self->mem_type = g_value_get_uint(value); break;
    case PROP_LAYOUT: self->layout = g_value_get_uint(value); break;
    case PROP_GAPS: self->gaps = g_value_get_uint64(value); break;
    case PROP_METADATA: self->metadata = g_value_get_boolean(value); break;
    case PROP_FAULT:
        g_free(self->fault);
        self->fault = g_value_dup_string(value);
        break;
    }
}

static void mux_finalize(GObject *object) {
    NvStubMux *self = (NvStubMux *)object;
    g_queue_clear_full(&self->frames, (GDestroyNotify)gst_buffer_unref);
    g_free(self->fault);
    G_OBJECT_CLASS(nvstub_mux_parent_class)->finalize(object);
}

static void nvstub_mux_class_init(NvStubMuxClass *class) {
    GObjectClass *object = G_OBJECT_CLASS(class);
    const GParamFlags flags = G_PARAM_WRITABLE;
    object->set_property = mux_set;
    object->finalize = mux_finalize;
    g_object_class_install_property(
        object, PROP_BATCH, g_param_spec_uint("batch-size", "", "Frames of a batch", 1, 64, 1, flags));
    g_object_class_install_property(
        object, PROP_MEM,
        g_param_spec_uint("mem-type", "", "NvBufSurfaceMemType", 0, 100, MEM_SYSTEM, flags));
    g_object_class_install_property(
        object, PROP_LAYOUT,
        g_param_spec_uint("layout", "", "0 pitch, 1 block linear", 0, 1, 0, flags));
    g_object_class_install_property(
        object, PROP_GAPS,
        g_param_spec_uint64("gaps", "", "Slots without a frame", 0, G_MAXUINT64, 0, flags));
    g_object_class_install_property(
        object, PROP_METADATA,
        g_param_spec_boolean("metadata", "", "Add NvDsBatchMeta", TRUE, flags));
    g_object_class_install_property(
        object, PROP_FAULT, g_param_spec_string("fault", "", "Which lie to tell", NULL, flags));
    gst_element_class_add_static_pad_template(class, &mux_sink);
    gst_element_class_add_static_pad_template(class, &mux_src);
    gst_element_class_set_static_metadata(class, "nvstubmux", "Test", "Makes NVMM buffers", "tests");
}

static void nvstub_mux_init(NvStubMux *self) {
    self->batch_size = 1;
    self->mem_type = MEM_SYSTEM;
    self->metadata = TRUE;
    g_queue_init(&self->frames);
    self->sink = gst_pad_new_from_static_template(&mux_sink, "sink");
    self->src = gst_pad_new_from_static_template(&mux_src, "src");
    gst_pad_set_chain_function(self->sink, mux_chain);
    gst_pad_set_event_function(self->sink, mux_event);
    gst_pad_set_query_function(self->sink, mux_query);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
}

/* ---- nvstubread ---- */

typedef struct {
    GstElement parent;
    GstPad *sink, *src;
} NvStubRead;
typedef GstElementClass NvStubReadClass;

G_DEFINE_TYPE(NvStubRead, nvstub_read, GST_TYPE_ELEMENT)

static GstStaticPadTemplate read_sink = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(memory:NVMM)"));
static GstStaticPadTemplate read_src = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(memory:NVMM)"));

/* Copies and releases as DeepStream does when a buffer is copied, and releases once too often. */
static gboolean copies(NvDsUserMeta *user) {
    NvDsUserMeta copy = *user;
    copy.user_meta_data = user->base_meta.copy_func(user, NULL);
    gboolean same = copy.user_meta_data != user->user_meta_data &&
                    memcmp(copy.user_meta_data, user->user_meta_data, sizeof(GazeObjMeta)) == 0;
    copy.base_meta.release_func(&copy, NULL);
    copy.base_meta.release_func(&copy, NULL);
    return same && copy.user_meta_data == NULL;
}

static void post_object(NvStubRead *self, NvDsFrameMeta *frame, NvDsObjectMeta *object,
                        NvDsUserMeta *user) {
    const GazeObjMeta *gaze = user->user_meta_data;
    gboolean valid = gaze->magic == GAZE_OBJ_META_MAGIC && gaze->version == GAZE_OBJ_META_VERSION &&
                     gaze->size == sizeof(*gaze) && (gaze->flags & GAZE_HAS_GAZE);
    gst_element_post_message(
        GST_ELEMENT(self),
        gst_message_new_element(
            GST_OBJECT(self),
            gst_structure_new(
                "gaze-object", "valid", G_TYPE_BOOLEAN, valid, "copies", G_TYPE_BOOLEAN, copies(user),
                "source-id", G_TYPE_UINT, gaze->source_id, "batch-id", G_TYPE_UINT, frame->batch_id,
                "unique-id", G_TYPE_UINT, gaze->unique_id, "object-id", G_TYPE_UINT64, gaze->object_id,
                "class-id", G_TYPE_INT, object->class_id, "age", G_TYPE_UINT, gaze->age, "pitch",
                G_TYPE_FLOAT, gaze->pitch, "yaw", G_TYPE_FLOAT, gaze->yaw, "x", G_TYPE_FLOAT,
                gaze->rect[0], "z", G_TYPE_FLOAT, gaze->direction[2], NULL)));
}

static GstFlowReturn read_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
    NvStubRead *self = (NvStubRead *)parent;
    (void)pad;
    NvDsBatchMeta *batch = gst_buffer_get_nvds_batch_meta(buffer);
    int type = nvds_get_user_meta_type((char *)GAZE_OBJ_META_TYPE);
    for (GList *f = batch ? batch->frame_meta_list : NULL; f != NULL; f = f->next) {
        NvDsFrameMeta *frame = f->data;
        for (GList *o = frame->obj_meta_list; o != NULL; o = o->next)
            for (GList *u = ((NvDsObjectMeta *)o->data)->obj_user_meta_list; u != NULL; u = u->next)
                if (((NvDsUserMeta *)u->data)->base_meta.meta_type == type)
                    post_object(self, frame, o->data, u->data);
        for (GList *d = frame->display_meta_list; d != NULL; d = d->next) {
            NvDsDisplayMeta *display = d->data;
            for (guint i = 0; i < display->num_arrows; i++) {
                NvOSD_ArrowParams *a = &display->arrow_params[i];
                gst_element_post_message(
                    GST_ELEMENT(self),
                    gst_message_new_element(
                        GST_OBJECT(self),
                        gst_structure_new("arrow", "batch-id", G_TYPE_UINT, frame->batch_id, "x1",
                                          G_TYPE_UINT, a->x1, "y1", G_TYPE_UINT, a->y1, "x2",
                                          G_TYPE_UINT, a->x2, "y2", G_TYPE_UINT, a->y2, "width",
                                          G_TYPE_UINT, a->arrow_width, "head", G_TYPE_INT,
                                          a->arrow_head, "alpha", G_TYPE_DOUBLE,
                                          a->arrow_color.alpha, "others", G_TYPE_UINT,
                                          display->num_rects + display->num_labels +
                                              display->num_lines + display->num_circles,
                                          NULL)));
            }
        }
    }
    return gst_pad_push(self->src, buffer);
}

static void nvstub_read_class_init(NvStubReadClass *class) {
    gst_element_class_add_static_pad_template(class, &read_sink);
    gst_element_class_add_static_pad_template(class, &read_src);
    gst_element_class_set_static_metadata(class, "nvstubread", "Test", "Reads gaze", "tests");
}

static void nvstub_read_init(NvStubRead *self) {
    self->sink = gst_pad_new_from_static_template(&read_sink, "sink");
    self->src = gst_pad_new_from_static_template(&read_src, "src");
    gst_pad_set_chain_function(self->sink, read_chain);
    GST_PAD_SET_PROXY_CAPS(self->sink);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
}

/* ---- nvstubupload ---- */

typedef struct {
    GstElement parent;
    GstPad *sink, *src;
    GstVideoInfo info;
} NvStubUpload;
typedef GstElementClass NvStubUploadClass;

G_DEFINE_TYPE(NvStubUpload, nvstub_upload, GST_TYPE_ELEMENT)

static GstStaticPadTemplate upload_src = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(memory:CUDAMemory)"));

/* The allocator, whose memory is mapped to the host or, with GST_MAP_CUDA, to the "GPU". */
typedef GstAllocator NvStubAllocator;
typedef GstAllocatorClass NvStubAllocatorClass;

G_DEFINE_TYPE(NvStubAllocator, nvstub_allocator, GST_TYPE_ALLOCATOR)

typedef struct {
    GstMemory memory;
    char *data;
} NvStubMemory;

static gpointer memory_map(GstMemory *memory, gsize size, GstMapFlags flags) {
    (void)size;
    uint64_t address = (uint64_t)(uintptr_t)((NvStubMemory *)memory)->data;
    return (gpointer)(uintptr_t)(flags & (GST_MAP_FLAG_LAST << 1) ? address ^ STUB_DEVICE_BIT
                                                                  : address);
}

static void memory_unmap(GstMemory *memory) {
    (void)memory;
}

static GstMemory *memory_alloc(GstAllocator *allocator, gsize size, GstAllocationParams *params) {
    (void)params;
    NvStubMemory *memory = g_new0(NvStubMemory, 1);
    gst_memory_init(GST_MEMORY_CAST(memory), 0, allocator, NULL, size, 0, 0, size);
    memory->data = calloc(1, size);
    nvstub_tell_allocated((uint64_t)(uintptr_t)memory->data ^ STUB_DEVICE_BIT, size, 2, 1);
    return GST_MEMORY_CAST(memory);
}

static void memory_free(GstAllocator *allocator, GstMemory *memory) {
    (void)allocator;
    char *data = ((NvStubMemory *)memory)->data;
    nvstub_tell_freed((uint64_t)(uintptr_t)data ^ STUB_DEVICE_BIT);
    free(data);
    g_free(memory);
}

static void nvstub_allocator_class_init(NvStubAllocatorClass *class) {
    class->alloc = memory_alloc;
    class->free = memory_free;
}

static void nvstub_allocator_init(NvStubAllocator *self) {
    self->mem_type = "gst.cuda.memory";
    self->mem_map = memory_map;
    self->mem_unmap = memory_unmap;
    GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static GstFlowReturn upload_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
    NvStubUpload *self = (NvStubUpload *)parent;
    (void)pad;
    GstVideoInfo padded = self->info;
    GstVideoAlignment align;
    gst_video_alignment_reset(&align);
    /* Neither tight nor GStreamer's own. */
    align.padding_right = 32;
    align.padding_bottom = 6;
    gst_video_info_align(&padded, &align);
    GstAllocator *allocator = g_object_new(nvstub_allocator_get_type(), NULL);
    gst_object_ref_sink(allocator);
    GstBuffer *out = gst_buffer_new();
    gst_buffer_append_memory(out, memory_alloc(allocator, GST_VIDEO_INFO_SIZE(&padded), NULL));
    gst_object_unref(allocator);
    gst_buffer_add_video_meta_full(out, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&padded),
                                   GST_VIDEO_INFO_WIDTH(&padded), GST_VIDEO_INFO_HEIGHT(&padded),
                                   GST_VIDEO_INFO_N_PLANES(&padded), padded.offset, padded.stride);
    GstVideoFrame from, to;
    if (gst_video_frame_map(&from, &self->info, buffer, GST_MAP_READ) &&
        gst_video_frame_map(&to, &self->info, out, GST_MAP_WRITE)) {
        /* Whole rows: gst_video_frame_copy leaves half of the last pair of YUY2 out. */
        for (guint k = 0; k < GST_VIDEO_FRAME_N_PLANES(&from); k++)
            for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&from, k); y++)
                memcpy((char *)GST_VIDEO_FRAME_PLANE_DATA(&to, k) +
                           (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(&to, k),
                       (char *)GST_VIDEO_FRAME_PLANE_DATA(&from, k) +
                           (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(&from, k),
                       MIN(GST_VIDEO_FRAME_PLANE_STRIDE(&to, k),
                           GST_VIDEO_FRAME_PLANE_STRIDE(&from, k)));
        gst_video_frame_unmap(&to);
        gst_video_frame_unmap(&from);
    }
    gst_buffer_copy_into(out, buffer, GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META, 0, -1);
    gst_buffer_unref(buffer);
    return gst_pad_push(self->src, out);
}

static gboolean upload_event(GstPad *pad, GstObject *parent, GstEvent *event) {
    NvStubUpload *self = (NvStubUpload *)parent;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps;
        gst_event_parse_caps(event, &caps);
        gst_video_info_from_caps(&self->info, caps);
        caps = gst_caps_copy(caps);
        gst_caps_set_features(caps, 0, gst_caps_features_new("memory:CUDAMemory", NULL));
        gst_event_unref(event);
        event = gst_event_new_caps(caps);
        gst_caps_unref(caps);
        return gst_pad_push_event(self->src, event);
    }
    return gst_pad_event_default(pad, parent, event);
}

static void nvstub_upload_class_init(NvStubUploadClass *class) {
    gst_element_class_add_static_pad_template(class, &mux_sink);
    gst_element_class_add_static_pad_template(class, &upload_src);
    gst_element_class_set_static_metadata(class, "nvstubupload", "Test", "CUDA memory", "tests");
}

static void nvstub_upload_init(NvStubUpload *self) {
    self->sink = gst_pad_new_from_static_template(&mux_sink, "sink");
    self->src = gst_pad_new_from_static_template(&upload_src, "src");
    gst_pad_set_chain_function(self->sink, upload_chain);
    gst_pad_set_event_function(self->sink, upload_event);
    gst_pad_set_query_function(self->sink, mux_query);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
}

static gboolean plugin_init(GstPlugin *plugin) {
    return gst_element_register(plugin, "nvstubmux", GST_RANK_NONE, nvstub_mux_get_type()) &&
           gst_element_register(plugin, "nvstubread", GST_RANK_NONE, nvstub_read_get_type()) &&
           gst_element_register(plugin, "nvstubupload", GST_RANK_NONE, nvstub_upload_get_type());
}

#define PACKAGE "nvstub"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, nvstub, "NVMM for tests", plugin_init, "1",
                  "MIT/X11", "nvstub", "none")
