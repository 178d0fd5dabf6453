/* libnvds_meta.so and libnvdsgst_meta.so: see nvstub.h. Pools are plain memory. */
#include "nvstub.h"

#include <string.h>

#define START_USER_META 8193

STUB_EXPORT int nvds_get_user_meta_type(char *name) {
    return (int)g_quark_from_string(name) + START_USER_META;
}

STUB_EXPORT NvDsBatchMeta *nvds_create_batch_meta(unsigned max_frames) {
    NvDsBatchMeta *batch = g_new0(NvDsBatchMeta, 1);
    batch->base_meta.batch_meta = batch;
    batch->max_frames_in_batch = max_frames;
    batch->display_meta_pool = g_new0(NvDsMetaPool, 1);
    batch->display_meta_pool->element_size = sizeof(NvDsDisplayMeta);
    g_rec_mutex_init(&batch->meta_mutex);
    return batch;
}

STUB_EXPORT void nvds_acquire_meta_lock(NvDsBatchMeta *batch) { g_rec_mutex_lock(&batch->meta_mutex); }
STUB_EXPORT void nvds_release_meta_lock(NvDsBatchMeta *batch) {
    g_rec_mutex_unlock(&batch->meta_mutex);
}

STUB_EXPORT NvDsFrameMeta *nvds_acquire_frame_meta_from_pool(NvDsBatchMeta *batch) {
    (void)batch;
    return g_new0(NvDsFrameMeta, 1);
}
STUB_EXPORT void nvds_add_frame_meta_to_batch(NvDsBatchMeta *batch, NvDsFrameMeta *frame) {
    batch->frame_meta_list = g_list_append(batch->frame_meta_list, frame);
    batch->num_frames_in_batch++;
}
STUB_EXPORT NvDsObjectMeta *nvds_acquire_obj_meta_from_pool(NvDsBatchMeta *batch) {
    (void)batch;
    return g_new0(NvDsObjectMeta, 1);
}
STUB_EXPORT void nvds_add_obj_meta_to_frame(NvDsFrameMeta *frame, NvDsObjectMeta *object,
                                            NvDsObjectMeta *parent) {
    object->parent = parent;
    frame->obj_meta_list = g_list_append(frame->obj_meta_list, object);
    frame->num_obj_meta++;
}
STUB_EXPORT NvDsUserMeta *nvds_acquire_user_meta_from_pool(NvDsBatchMeta *batch) {
    (void)batch;
    return g_new0(NvDsUserMeta, 1);
}
STUB_EXPORT void nvds_add_user_meta_to_obj(NvDsObjectMeta *object, NvDsUserMeta *user) {
    object->obj_user_meta_list = g_list_append(object->obj_user_meta_list, user);
}
STUB_EXPORT NvDsDisplayMeta *nvds_acquire_display_meta_from_pool(NvDsBatchMeta *batch) {
    NvDsDisplayMeta *display = g_new0(NvDsDisplayMeta, 1);
    (void)batch;
    /* An element of a pool, which need not be empty. */
    display->num_rects = display->num_labels = display->num_lines = display->num_circles = 3;
    return display;
}
STUB_EXPORT void nvds_add_display_meta_to_frame(NvDsFrameMeta *frame, NvDsDisplayMeta *display) {
    frame->display_meta_list = g_list_append(frame->display_meta_list, display);
}

static void free_user(gpointer data) {
    NvDsUserMeta *user = data;
    if (user->base_meta.release_func != NULL)
        user->base_meta.release_func(user, NULL);
    g_free(user);
}
static void free_object(gpointer data) {
    NvDsObjectMeta *object = data;
    g_list_free_full(object->obj_user_meta_list, free_user);
    g_free(object);
}
static void free_frame(gpointer data) {
    NvDsFrameMeta *frame = data;
    g_list_free_full(frame->obj_meta_list, free_object);
    g_list_free_full(frame->display_meta_list, g_free);
    g_free(frame);
}

static GType api_type(void) {
    static const char *tags[] = {NULL};
    GType type = g_type_from_name("NvDsMetaAPI");
    return type ? type : gst_meta_api_type_register("NvDsMetaAPI", tags);
}

static gboolean meta_init(GstMeta *meta, gpointer params, GstBuffer *buffer) {
    (void)params;
    (void)buffer;
    ((NvStubMeta *)meta)->batch = NULL;
    return TRUE;
}
static void meta_free(GstMeta *meta, GstBuffer *buffer) {
    (void)buffer;
    NvDsBatchMeta *batch = ((NvStubMeta *)meta)->batch;
    g_list_free_full(batch->frame_meta_list, free_frame);
    g_free(batch->display_meta_pool);
    g_rec_mutex_clear(&batch->meta_mutex);
    g_free(batch);
}

void nvstub_attach(GstBuffer *buffer, NvDsBatchMeta *batch) {
    const GstMetaInfo *info = gst_meta_get_info("NvStubMeta");
    if (info == NULL)
        info = gst_meta_register(api_type(), "NvStubMeta", sizeof(NvStubMeta), meta_init, meta_free,
                                 NULL);
    ((NvStubMeta *)gst_buffer_add_meta(buffer, info, NULL))->batch = batch;
}

STUB_EXPORT NvDsBatchMeta *gst_buffer_get_nvds_batch_meta(GstBuffer *buffer) {
    NvStubMeta *meta = (NvStubMeta *)gst_buffer_get_meta(buffer, api_type());
    return meta ? meta->batch : NULL;
}
