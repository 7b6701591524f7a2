//go:build gstreamer

#include "shim.h"

void shim_parse_failure(GstMessage *message, shim_failure *failure) {
  GError *error = NULL;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, &failure->debug);
  else
    gst_message_parse_warning(message, &error, &failure->debug);
  failure->element = gst_object_get_name(GST_MESSAGE_SRC(message));
  failure->factory = g_strdup(GST_IS_ELEMENT(GST_MESSAGE_SRC(message)) ? shim_factory_name(GST_MESSAGE_SRC(message)) : "");
  failure->text = g_strdup(error->message);
  failure->domain = g_quark_to_string(error->domain);
  failure->code = error->code;
  g_error_free(error);
}

void shim_free_failure(shim_failure *failure) {
  g_free(failure->element);
  g_free(failure->factory);
  g_free(failure->text);
  g_free(failure->debug);
}

// The form of the message is that of gstpbutils' gst_missing_plugin_message_new.
gchar *shim_missing_plugin(GstMessage *message, gchar **description) {
  const GstStructure *s = gst_message_get_structure(message);
  if (s == NULL || !gst_structure_has_name(s, "missing-plugin"))
    return NULL;
  *description = g_strdup(gst_structure_get_string(s, "name"));
  const gchar *element = gst_structure_get_string(s, "detail");
  if (element != NULL)
    return g_strdup(element);
  GstCaps *caps = NULL;
  gst_structure_get(s, "detail", GST_TYPE_CAPS, &caps, NULL);
  if (caps == NULL)
    return NULL;
  gchar *name = g_strdup(gst_structure_get_name(gst_caps_get_structure(caps, 0)));
  gst_caps_unref(caps);
  return name;
}

void shim_nudge(GstElement *pipeline) {
  gst_element_post_message(pipeline, gst_message_new_application(NULL, gst_structure_new_empty("nudge")));
}
