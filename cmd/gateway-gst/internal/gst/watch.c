//go:build gstreamer

#include "shim.h"

#include "_cgo_export.h"

// watch lives as long as the process, as the pipeline does.
typedef struct {
  gint64 max_pixels;
  guintptr handle;
} watch;

static GstPadProbeReturn check_caps(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  watch *w = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  GstCaps *caps;
  gst_event_parse_caps(event, &caps);
  GstStructure *s = gst_caps_get_structure(caps, 0);
  gint width = 0, height = 0;
  gst_structure_get_int(s, "width", &width);
  gst_structure_get_int(s, "height", &height);
  if (!gst_structure_has_name(s, "video/x-raw") || (gint64)width * height <= w->max_pixels)
    return GST_PAD_PROBE_OK;
  shimTooLarge(w->handle, GST_OBJECT_NAME(GST_OBJECT_PARENT(pad)), width, height);
  return GST_PAD_PROBE_DROP;
}

static void watch_pad(GstElement *element, GstPad *pad, gpointer data) {
  if (GST_PAD_DIRECTION(pad) == GST_PAD_SRC)
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, check_caps, data, NULL);
}

static gboolean watch_each_pad(GstElement *element, GstPad *pad, gpointer data) {
  watch_pad(element, pad, data);
  return TRUE;
}

// watch_element puts the probe where caps begin: bins only pass on those of their children.
static void watch_element(GstElement *element, watch *w) {
  if (w->max_pixels <= 0 || GST_IS_BIN(element))
    return;
  g_signal_connect(element, "pad-added", G_CALLBACK(watch_pad), w);
  gst_element_foreach_src_pad(element, watch_each_pad, w);
}

static void on_element(GstBin *bin, GstBin *sub, GstElement *element, gpointer data) {
  watch *w = data;
  shimElementAdded(w->handle, (char *)shim_factory_name(element));
  watch_element(element, w);
}

void shim_watch(GstElement *pipeline, gint64 max_pixels, guintptr handle) {
  watch *w = g_new0(watch, 1);
  w->max_pixels = max_pixels;
  w->handle = handle;
  g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(on_element), w);
  GPtrArray *elements = shim_elements(GST_BIN(pipeline));
  for (guint i = 0; i < elements->len; i++)
    watch_element(elements->pdata[i], w);
  g_ptr_array_unref(elements);
}

static void on_pad(GstElement *element, GstPad *pad, gpointer data) {
  if (GST_PAD_DIRECTION(pad) == GST_PAD_SRC && !gst_pad_is_linked(pad))
    shimPadAdded((guintptr)data, pad);
}

// shim_watch_pads looks at the elements of the text only: what a decodebin does inside is its own affair.
void shim_watch_pads(GstBin *bin, guintptr handle) {
  GPtrArray *elements = shim_elements(bin);
  for (guint i = 0; i < elements->len; i++)
    if (GST_OBJECT_PARENT(elements->pdata[i]) == GST_OBJECT(bin))
      g_signal_connect(elements->pdata[i], "pad-added", G_CALLBACK(on_pad), (gpointer)handle);
  g_ptr_array_unref(elements);
}
