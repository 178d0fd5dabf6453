/* Prints the gaze of each face, with GStreamer alone: no header and no library of this project.
 *
 *   cc examples/gaze_probe.c -o gaze_probe $(pkg-config --cflags --libs gstreamer-1.0)
 *   GST_PLUGIN_PATH=target/release ./gaze_probe \
 *       'filesrc location=in.mp4 ! decodebin ! videoconvert ! gazeface engine=yunet.onnx !
 *        gazeinfer engine=gaze.onnx ! fakesink name=probe'
 *
 * The program reads the buffers at the element named "probe". README.md lists the fields of
 * GazeMeta. Angles are in radians; positive pitch is up, positive yaw the image's left. */

#include <gst/gst.h>

static void
print_face (const GstStructure * face)
{
  gdouble x, y, w, h, pitch, yaw;
  guint64 id;

  /* A face always has a box. */
  if (!gst_structure_get (face, "x", G_TYPE_DOUBLE, &x, "y", G_TYPE_DOUBLE, &y,
          "w", G_TYPE_DOUBLE, &w, "h", G_TYPE_DOUBLE, &h, NULL))
    return;
  g_print ("  face %.0fx%.0f at (%.0f, %.0f)", w, h, x, y);
  /* Everything else may be absent. */
  if (gst_structure_get_uint64 (face, "track-id", &id))
    g_print (" id %" G_GUINT64_FORMAT, id);
  if (gst_structure_get_double (face, "pitch", &pitch)
      && gst_structure_get_double (face, "yaw", &yaw))
    g_print (" pitch %+.3f yaw %+.3f", pitch, yaw);
  g_print ("\n");
}

static void
print_gaze (GstBuffer * buffer)
{
  /* GStreamer warns about the lookup of a name that is not registered, which is so until the first
   * element of the plugin exists. */
  GstCustomMeta *meta = gst_meta_get_info ("GazeMeta")
      ? gst_buffer_get_custom_meta (buffer, "GazeMeta") : NULL;
  GstStructure *gaze;
  const GValue *faces;
  guint i;

  if (meta == NULL)
    return;                     /* gazeinfer did not process it */
  gaze = gst_custom_meta_get_structure (meta);
  faces = gst_structure_get_value (gaze, "faces");
  g_print ("%" GST_TIME_FORMAT ": %u faces\n",
      GST_TIME_ARGS (GST_BUFFER_PTS (buffer)),
      faces ? gst_value_array_get_size (faces) : 0);
  for (i = 0; faces && i < gst_value_array_get_size (faces); i++)
    print_face (gst_value_get_structure (gst_value_array_get_value (faces, i)));
}

static GstPadProbeReturn
on_buffer (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  (void) pad;
  (void) data;
  print_gaze (GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

static int
run (GstElement * pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  int result = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s: %s\n", GST_OBJECT_NAME (message->src), error->message);
    g_error_free (error);
    result = 1;
  }
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return result;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  GstElement *pipeline, *probe;
  GstPad *pad;
  int result;

  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("usage: %s 'PIPELINE ! fakesink name=probe'\n", argv[0]);
    return 2;
  }
  pipeline = gst_parse_launch_full (argv[1], NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline == NULL) {
    g_printerr ("%s\n", error->message);
    g_error_free (error);
    return 2;
  }
  probe = GST_IS_BIN (pipeline) ? gst_bin_get_by_name (GST_BIN (pipeline), "probe") : NULL;
  pad = probe ? gst_element_get_static_pad (probe, "sink") : NULL;
  if (pad == NULL) {
    g_printerr ("the pipeline has no element named probe with a sink pad\n");
    return 2;
  }
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, NULL, NULL);
  gst_object_unref (pad);
  gst_object_unref (probe);

  result = run (pipeline);
  gst_object_unref (pipeline);
  return result;
}
