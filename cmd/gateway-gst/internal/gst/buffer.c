//go:build gstreamer

#include "shim.h"

#include <stdatomic.h>

GstFlowReturn shim_push(GstAppSrc *src, const void *data, gsize size, gint64 pts, gint64 dts, gint64 duration, guint flags) {
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);
  if (buffer == NULL)
    return GST_FLOW_ERROR;
  gst_buffer_fill(buffer, 0, data, size);
  GST_BUFFER_PTS(buffer) = pts < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime)pts;
  GST_BUFFER_DTS(buffer) = dts < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime)dts;
  GST_BUFFER_DURATION(buffer) = duration <= 0 ? GST_CLOCK_TIME_NONE : (GstClockTime)duration;
  GST_BUFFER_FLAG_SET(buffer, flags);
  return gst_app_src_push_buffer(src, buffer);
}

// running_time keeps the sign: encoders of sound begin a little before zero.
static gint64 running_time(const GstSegment *segment, GstClockTime time) {
  if (!GST_CLOCK_TIME_IS_VALID(time))
    return GST_CLOCK_STIME_NONE;
  guint64 t;
  int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, time, &t);
  return sign == 0 ? GST_CLOCK_STIME_NONE : sign * (gint64)t;
}

gboolean shim_pull(GstAppSink *sink, GstClockTime timeout, shim_frame *frame) {
  GstSample *sample = gst_app_sink_try_pull_sample(sink, timeout);
  if (sample == NULL)
    return FALSE;
  GstBuffer *buffer = gst_sample_get_buffer(sample);
  if (buffer == NULL || !gst_buffer_map(buffer, &frame->map, GST_MAP_READ)) {
    gst_sample_unref(sample);
    return FALSE;
  }
  const GstSegment *segment = gst_sample_get_segment(sample);
  frame->sample = sample;
  frame->pts = running_time(segment, GST_BUFFER_PTS(buffer));
  frame->dts = running_time(segment, GST_BUFFER_DTS(buffer));
  frame->duration = GST_BUFFER_DURATION_IS_VALID(buffer) ? (gint64)GST_BUFFER_DURATION(buffer) : 0;
  frame->flags = GST_BUFFER_FLAGS(buffer);
  return TRUE;
}

void shim_release(shim_frame *frame) {
  gst_buffer_unmap(gst_sample_get_buffer(frame->sample), &frame->map);
  gst_sample_unref(frame->sample);
}

GstCaps *shim_frame_caps(shim_frame *frame) { return gst_sample_get_caps(frame->sample); }

GstBuffer *shim_value_buffer(const GValue *value) { return GST_VALUE_HOLDS_BUFFER(value) ? gst_value_get_buffer(value) : NULL; }

struct shim_gate {
  _Atomic gint64 until;
};

static GstPadProbeReturn drop_old(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  shim_gate *gate = data;
  GstEvent *event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (event == NULL)
    return GST_PAD_PROBE_OK;
  const GstSegment *segment;
  gst_event_parse_segment(event, &segment);
  gint64 time = running_time(segment, GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
  gst_event_unref(event);
  return time != GST_CLOCK_STIME_NONE && time <= atomic_load(&gate->until) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

shim_gate *shim_gate_new(GstPad *pad) {
  shim_gate *gate = g_new0(shim_gate, 1);
  atomic_store(&gate->until, G_MININT64);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, drop_old, gate, NULL);
  return gate;
}

void shim_gate_raise(shim_gate *gate, gint64 until) {
  gint64 old = atomic_load(&gate->until);
  while (old < until && !atomic_compare_exchange_weak(&gate->until, &old, until)) {
  }
}
