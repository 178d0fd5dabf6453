/*
 * The gaze of an object, as gazeinfer attaches it to the objects of DeepStream.
 *
 * Each NvDsObjectMeta that gazeinfer processed has an NvDsUserMeta whose base_meta.meta_type is
 *
 *     nvds_get_user_meta_type((gchar *)GAZE_OBJ_META_TYPE)
 *
 * and whose user_meta_data points to a GazeObjMeta. It has no pointers, so a plain copy is enough. The
 * number of the type differs between processes; each process asks for it by name.
 *
 * Check magic against GAZE_OBJ_META_MAGIC and version against GAZE_OBJ_META_VERSION. Appended fields
 * increase size.
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

/* The bytes "GAZE" in memory. */
#define GAZE_OBJ_META_MAGIC 0x455a4147u

/* Increases when a field changes its meaning or its offset. */
#define GAZE_OBJ_META_VERSION 1u

/* Bits of flags: the fields that are valid. The others are 0. */
#define GAZE_HAS_GAZE 1u       /* pitch, yaw, direction */
#define GAZE_HAS_CONFIDENCE 2u /* confidence */
#define GAZE_HAS_HEAD 4u       /* head */
#define GAZE_HAS_ORIGIN 8u     /* origin */

typedef struct GazeObjMeta {
    uint32_t magic;          /* GAZE_OBJ_META_MAGIC */
    uint32_t version;        /* GAZE_OBJ_META_VERSION */
    uint32_t size;           /* bytes of this structure */
    uint32_t unique_id;      /* gazeinfer's property unique-id */
    uint64_t object_id;      /* id of the tracked object; all bits set without a tracker */
    uint64_t inference_time; /* nanoseconds from the frame's pixels to its last angle; 0: not inferred */
    uint32_t source_id;      /* source of the frame */
    uint32_t flags;          /* GAZE_HAS_... */
    uint32_t age;            /* frames since the last inference of this object; 0 is this frame */
    float pitch;             /* radians, positive is up */
    float yaw;               /* radians, positive is towards the image's left */
    float confidence;        /* 0..1 */
    float direction[3];      /* the same gaze as a unit vector */
    float head[3];           /* pitch, yaw, roll of the head, radians */
    float origin[3];         /* start of the line of sight, millimetres */
    float rect[4];           /* left, top, width, height of the box, pixels of the surface */
    uint32_t reserved[5];    /* 0 */
} GazeObjMeta;

#ifdef __cplusplus
}
#endif

#endif /* GAZEMETA_H */
