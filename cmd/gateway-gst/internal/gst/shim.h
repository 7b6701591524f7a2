// What go-gst lacks or does wrongly: buffers that nobody frees too soon, running times, domains of errors, pads.
// Whatever is returned is the caller's to free, unless a line says otherwise.
#ifndef SLUICE_SHIM_H
#define SLUICE_SHIM_H

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

// buffer.c: frames in and out.

// shim_frame is a frame that came out. Times are running times in ns; dts is GST_CLOCK_STIME_NONE if there is none.
typedef struct {
  GstSample *sample;
  GstMapInfo map;
  gint64 pts, dts, duration;
  guint flags;
} shim_frame;

GstFlowReturn shim_push(GstAppSrc *src, const void *data, gsize size, gint64 pts, gint64 dts, gint64 duration, guint flags);
gboolean shim_pull(GstAppSink *sink, GstClockTime timeout, shim_frame *frame);
void shim_release(shim_frame *frame);
GstCaps *shim_frame_caps(shim_frame *frame);         // the frame's
GstBuffer *shim_value_buffer(const GValue *value);   // the value's, or NULL

// shim_gate drops the buffers at or before a running time that a pad gets.
typedef struct shim_gate shim_gate;
shim_gate *shim_gate_new(GstPad *pad); // lives for ever
void shim_gate_raise(shim_gate *gate, gint64 until);

// pads.c: texts to elements, and elements to each other.

// shim_parse makes a pipeline of text that is never freed, or tells why not and which elements are missing.
GstElement *shim_parse(const char *text, GError **why, gchar ***missing);
// shim_add makes a bin of text, whose only loose sink pad becomes its own, and puts it into pipeline. The pad that it
// returns is the bin's to free.
GstPad *shim_add(GstBin *pipeline, const char *text, GError **why, gchar ***missing);
// shim_link brings the bin of sink into the state of its pipeline and links pad to it.
gboolean shim_link(GstPad *pad, GstPad *sink);
GPtrArray *shim_elements(GstBin *bin);                     // all of them, those in bins too
GPtrArray *shim_loose_pads(GstBin *bin, GstPadDirection direction);
GstCaps *shim_pad_caps(GstPad *pad);
gpointer shim_owner(GstPad *pad);                          // the pad's element, which holds it
gboolean shim_has_later_pads(GstBin *bin);                 // whether pads may appear while it runs
const gchar *shim_factory_name(gpointer element);          // the element's; "" if it has none
void shim_force_key(GstElement *sink);
gint64 shim_running_time(GstElement *pipeline);            // now, in ns
void shim_use_system_clock(GstElement *pipeline);

// watch.c: what happens inside while it runs. The handle goes to the functions that Go exports.
void shim_watch(GstElement *pipeline, gint64 max_pixels, guintptr handle);
void shim_watch_pads(GstBin *bin, guintptr handle);

// message.c: what the bus says.
typedef struct {
  gchar *element, *factory, *text, *debug;
  const gchar *domain;
  gint code;
} shim_failure;
void shim_parse_failure(GstMessage *message, shim_failure *failure);
void shim_free_failure(shim_failure *failure);
gchar *shim_missing_plugin(GstMessage *message, gchar **description); // what a decoder or element is missing for, or NULL
void shim_nudge(GstElement *pipeline); // posts a message of the application's

#endif
