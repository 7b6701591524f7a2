//go:build gstreamer

#include "shim.h"

static GstElement *parse(const char *text, GstParseFlags flags, GError **why, gchar ***missing) {
  GstParseContext *context = gst_parse_context_new();
  GstElement *element = gst_parse_launch_full(text, context, flags | GST_PARSE_FLAG_FATAL_ERRORS, why);
  *missing = gst_parse_context_get_missing_elements(context);
  gst_parse_context_free(context);
  if (*why != NULL && element != NULL)
    g_clear_pointer(&element, gst_object_unref);
  return element;
}

GstElement *shim_parse(const char *text, GError **why, gchar ***missing) {
  GstElement *element = parse(text, GST_PARSE_FLAG_NONE, why, missing);
  if (element == NULL || GST_IS_PIPELINE(element))
    return element;
  GstElement *pipeline = gst_pipeline_new(NULL); // a single element comes alone
  gst_bin_add(GST_BIN(pipeline), element);
  return pipeline;
}

GstPad *shim_add(GstBin *pipeline, const char *text, GError **why, gchar ***missing) {
  GstElement *bin = parse(text, GST_PARSE_FLAG_PLACE_IN_BIN, why, missing);
  if (bin == NULL)
    return NULL;
  GstPad *inner = gst_bin_find_unlinked_pad(GST_BIN(bin), GST_PAD_SINK);
  GstPad *pad = inner == NULL ? NULL : gst_ghost_pad_new("link", inner);
  g_clear_object(&inner);
  if (pad == NULL) {
    g_set_error(why, GST_CORE_ERROR, GST_CORE_ERROR_PAD, "nothing can be linked to %s", text);
    gst_object_unref(bin);
    return NULL;
  }
  gst_element_add_pad(bin, pad);
  gst_bin_add(pipeline, bin);
  return pad;
}

gboolean shim_link(GstPad *pad, GstPad *sink) {
  gst_element_sync_state_with_parent(GST_ELEMENT(GST_OBJECT_PARENT(sink)));
  return gst_pad_link_maybe_ghosting(pad, sink);
}

static void keep(const GValue *value, gpointer list) { g_ptr_array_add(list, g_value_dup_object(value)); }

// all empties an iterator into a list, whose members it holds; a list that changed meanwhile is read again.
static GPtrArray *all(GstIterator *iterator) {
  GPtrArray *list = g_ptr_array_new_with_free_func(gst_object_unref);
  while (gst_iterator_foreach(iterator, keep, list) == GST_ITERATOR_RESYNC) {
    g_ptr_array_set_size(list, 0);
    gst_iterator_resync(iterator);
  }
  gst_iterator_free(iterator);
  return list;
}

GPtrArray *shim_elements(GstBin *bin) { return all(gst_bin_iterate_recurse(bin)); }

// is_plain tells a bin that the text has made, "( … )", from elements that happen to be bins.
static gboolean is_plain(GstElement *element) { return g_strcmp0(shim_factory_name(element), "bin") == 0; }

static void collect_loose(GstBin *bin, GstPadDirection direction, GPtrArray *into) {
  GPtrArray *elements = all(gst_bin_iterate_elements(bin));
  for (guint i = elements->len; i-- > 0;) { // the newest comes first
    GstElement *e = elements->pdata[i];
    if (is_plain(e))
      collect_loose(GST_BIN(e), direction, into);
    GPtrArray *pads = all(gst_element_iterate_pads(e));
    for (guint j = 0; j < pads->len; j++) {
      GstPad *pad = pads->pdata[j];
      if (GST_PAD_DIRECTION(pad) == direction && !gst_pad_is_linked(pad))
        g_ptr_array_add(into, gst_object_ref(pad));
    }
    g_ptr_array_unref(pads);
  }
  g_ptr_array_unref(elements);
}

GPtrArray *shim_loose_pads(GstBin *bin, GstPadDirection direction) {
  GPtrArray *pads = g_ptr_array_new_with_free_func(gst_object_unref);
  collect_loose(bin, direction, pads);
  return pads;
}

gpointer shim_owner(GstPad *pad) { return GST_OBJECT_PARENT(pad); }

GstCaps *shim_pad_caps(GstPad *pad) {
  GstCaps *caps = gst_pad_get_current_caps(pad);
  return caps != NULL ? caps : gst_pad_query_caps(pad, NULL);
}

gboolean shim_has_later_pads(GstBin *bin) {
  GPtrArray *elements = shim_elements(bin);
  gboolean found = FALSE;
  for (guint i = 0; i < elements->len; i++) {
    const GList *t = gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(elements->pdata[i]));
    for (; t != NULL; t = t->next)
      found |= GST_PAD_TEMPLATE_DIRECTION(t->data) == GST_PAD_SRC && GST_PAD_TEMPLATE_PRESENCE(t->data) == GST_PAD_SOMETIMES;
  }
  g_ptr_array_unref(elements);
  return found;
}

const gchar *shim_factory_name(gpointer element) {
  GstElementFactory *factory = gst_element_get_factory(element);
  return factory == NULL ? "" : GST_OBJECT_NAME(factory);
}

void shim_force_key(GstElement *sink) {
  GstStructure *s = gst_structure_new("GstForceKeyUnit", "all-headers", G_TYPE_BOOLEAN, TRUE, NULL);
  gst_element_send_event(sink, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, s));
}

gint64 shim_running_time(GstElement *pipeline) {
  GstClock *clock = gst_element_get_clock(pipeline);
  if (clock == NULL)
    return 0;
  gint64 now = (gint64)gst_clock_get_time(clock) - (gint64)gst_element_get_base_time(pipeline);
  gst_object_unref(clock);
  return now;
}

void shim_use_system_clock(GstElement *pipeline) {
  GstClock *clock = gst_system_clock_obtain();
  gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock);
  gst_object_unref(clock);
}
