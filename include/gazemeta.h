/*
 * Where an object looks, as gazeinfer attaches it to DeepStream's objects.
 *
 * Each NvDsObjectMeta that gazeinfer looked at has an NvDsUserMeta whose base_meta.meta_type is
 *
 *     nvds_get_user_meta_type((gchar *)GAZE_OBJ_META_TYPE)
 *
 * and whose user_meta_data points to a GazeObjMeta. It has no pointers: copy it as you like. The
 * number of the type belongs to the process, so ask for it by name in each.
 *
 * Check magic, and version against GAZE_OBJ_META_VERSION; size grows where fields are appended.
 *
 * Camera coordinates are OpenCV's: x right, y down, z away from the camera. pitch = asin(-y) is
 * positive upwards, yaw = atan2(-x, -z) is positive towards the image's left; radians.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef GAZEMETA_H
#define GAZEMETA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GAZE_OBJ_META_TYPE "GAZEINFER.GAZE.OBJ_META"

/* "GAZE" in memory. */
#define GAZE_OBJ_META_MAGIC 0x455a4147u

/* Grows when a field changes its meaning or its place. */
#define GAZE_OBJ_META_VERSION 1u

/* Bits of flags: what is there. The fields of what is not there are 0. */
#define GAZE_HAS_GAZE 1u       /* pitch, yaw, direction */
#define GAZE_HAS_CONFIDENCE 2u /* confidence */
#define GAZE_HAS_HEAD 4u       /* head */
#define GAZE_HAS_ORIGIN 8u     /* origin */

typedef struct GazeObjMeta {
    uint32_t magic;          /* GAZE_OBJ_META_MAGIC */
    uint32_t version;        /* GAZE_OBJ_META_VERSION */
    uint32_t size;           /* bytes of this structure */
    uint32_t unique_id;      /* gazeinfer's property unique-id */
    uint64_t object_id;      /* the object's; all bits set where nobody tracks */
    uint64_t inference_time; /* nanoseconds from the frame's pixels to its last angle; 0: not inferred */
    uint32_t source_id;      /* the frame's source */
    uint32_t flags;          /* GAZE_HAS_... */
    uint32_t age;            /* frames since this object was last inferred; 0 is now */
    float pitch;             /* radians, positive is up */
    float yaw;               /* radians, positive is towards the image's left */
    float confidence;        /* 0..1 */
    float direction[3];      /* the same gaze as a unit vector */
    float head[3];           /* pitch, yaw, roll of the head, radians */
    float origin[3];         /* where the gaze starts, millimetres */
    float rect[4];           /* left, top, width, height of the box, pixels of the surface */
    uint32_t reserved[5];    /* 0 */
} GazeObjMeta;

#ifdef __cplusplus
}
#endif

#endif /* GAZEMETA_H */
