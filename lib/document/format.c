/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Formatting works on the text, not on a tree that a parser made of it: what people wrote (quotes,
 * references, comments) comes out byte for byte, only the white space between is ours. The scanner takes for
 * granted what the reader has found: that the text is well-formed.
 *
 * The order of elements is nobody's list here: it is looked up in the document as it is written, where every
 * kind of document has its own. Where that says the same name twice with others between, order means
 * something and is left alone.
 */
#include "document/format.h"

#include <string.h>

#define INDENT 2

typedef enum { NODE_ELEMENT, NODE_TEXT, NODE_COMMENT, NODE_OTHER } NodeType;

typedef struct Node Node;
struct Node {
  NodeType type;
  const char *start, *end; /* all of it */
  const char *tag_end;     /* of an element: behind its start tag */
  char *name;              /* of an element */
  GPtrArray *children;     /* of an element; NULL: it is said by one tag */
};

static void
node_free (gpointer data)
{
  Node *node = data;

  g_free (node->name);
  g_clear_pointer (&node->children, g_ptr_array_unref);
  g_free (node);
}

/* Scanning. */

static const char *
behind (const char *text, const char *end)
{
  const char *found = strstr (text, end);

  return found != NULL ? found + strlen (end) : text + strlen (text);
}

/* Of a tag that begins at @text: behind its '>', which quotes may hide. */
static const char *
behind_tag (const char *text)
{
  char quote = '\0';

  for (; *text != '\0'; text++)
    if (quote != '\0')
      quote = *text == quote ? '\0' : quote;
    else if (*text == '\'' || *text == '"')
      quote = *text;
    else if (*text == '>')
      return text + 1;
  return text;
}

/* <!DOCTYPE x [ <!ENTITY ...> ]> */
static const char *
behind_doctype (const char *text)
{
  const char *bracket = strchr (text, '['), *end = strchr (text, '>');

  return bracket != NULL && end != NULL && bracket < end ? behind (behind (text, "]"), ">")
                                                         : behind (text, ">");
}

static Node *
scan_node (const char *text)
{
  Node *node = g_new0 (Node, 1);

  node->start = text;
  node->type = NODE_OTHER;
  if (*text != '<') {
    node->type = NODE_TEXT;
    node->end = strchr (text, '<');
    if (node->end == NULL)
      node->end = text + strlen (text);
  } else if (g_str_has_prefix (text, "<!--")) {
    node->type = NODE_COMMENT;
    node->end = behind (text + strlen ("<!--"), "-->");
  } else if (g_str_has_prefix (text, "<![CDATA[")) {
    node->end = behind (text, "]]>");
  } else if (g_str_has_prefix (text, "<?")) {
    node->end = behind (text, "?>");
  } else if (g_str_has_prefix (text, "<!")) {
    node->end = behind_doctype (text);
  } else {
    node->type = NODE_ELEMENT;
    node->tag_end = node->end = behind_tag (text);
    node->name = g_strndup (text + 1, strcspn (text + 1, " \t\r\n/>"));
    if (node->tag_end - text < 2 || node->tag_end[-2] != '/')
      node->children = g_ptr_array_new_with_free_func (node_free);
  }
  return node;
}

/* The children of a node that has none yet: the whole document's too. NULL: too deep. */
static GPtrArray *
scan (const char *text, GError **error)
{
  g_autoptr (GPtrArray) top = g_ptr_array_new_with_free_func (node_free);
  Node *open[FORMAT_MAX_DEPTH];
  guint depth = 0;

  while (*text != '\0') {
    GPtrArray *into = depth > 0 ? open[depth - 1]->children : top;
    Node *node;

    if (depth > 0 && g_str_has_prefix (text, "</")) {
      text = behind_tag (text);
      open[--depth]->end = text;
      continue;
    }
    node = scan_node (text);
    g_ptr_array_add (into, node);
    text = node->end;
    if (node->children == NULL)
      continue;
    if (depth == FORMAT_MAX_DEPTH) {
      virt_error_set (error, VIR_ERR_XML_ERROR, "the document has more than %d levels", FORMAT_MAX_DEPTH);
      return NULL;
    }
    open[depth++] = node;
  }
  return g_steal_pointer (&top);
}

static gboolean
is_blank (const Node *node)
{
  for (const char *place = node->start; place < node->end; place++)
    if (!g_ascii_isspace (*place))
      return FALSE;
  return TRUE;
}

/* What is in it is not ours to touch. */
static gboolean
is_kept (const Node *node)
{
  if (node->children == NULL || node->children->len == 0 || g_str_equal (node->name, "metadata")
      || g_str_equal (node->name, "description"))
    return TRUE;
  for (guint i = 0; i < node->children->len; i++) {
    const Node *child = g_ptr_array_index (node->children, i);

    if ((child->type == NODE_TEXT && !is_blank (child)) || child->type == NODE_OTHER)
      return TRUE;
  }
  return node->children->len == 1 && ((const Node *)g_ptr_array_index (node->children, 0))->type == NODE_TEXT;
}

/* The order. */

typedef struct {
  GPtrArray *names; /* char * */
  gboolean is_free; /* what is written says that names are mixed: none is moved */
} Order;

static void
order_free (gpointer data)
{
  Order *order = data;

  g_ptr_array_unref (order->names);
  g_free (order);
}

static int
order_rank (const Order *order, const char *name)
{
  for (guint i = 0; order != NULL && i < order->names->len; i++)
    if (g_str_equal (g_ptr_array_index (order->names, i), name))
      return (int)i;
  return -1;
}

static const Node *
child_element (const Node *node, guint index)
{
  const Node *child = g_ptr_array_index (node->children, index);

  return child->type == NODE_ELEMENT ? child : NULL;
}

/* One more element of that path: names not known yet stand behind the one they follow here. */
static void
order_learn (Order *order, const Node *node)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  const char *last = NULL;
  int place = -1;

  for (guint i = 0; i < node->children->len; i++) {
    const Node *child = child_element (node, i);
    int rank;

    if (child == NULL || g_strcmp0 (child->name, last) == 0)
      continue;
    order->is_free = order->is_free || !g_hash_table_add (seen, child->name);
    last = child->name;
    rank = order_rank (order, child->name);
    if (rank < 0)
      g_ptr_array_insert (order->names, rank = place + 1, g_strdup (child->name));
    place = rank;
  }
}

static void
learn (GHashTable *orders, const char *path, const Node *node)
{
  Order *order = g_hash_table_lookup (orders, path);

  if (is_kept (node))
    return;
  if (order == NULL) {
    order = g_new0 (Order, 1);
    order->names = g_ptr_array_new_with_free_func (g_free);
    g_hash_table_insert (orders, g_strdup (path), order);
  }
  order_learn (order, node);
  for (guint i = 0; i < node->children->len; i++) {
    const Node *child = child_element (node, i);
    g_autofree char *below = child != NULL ? g_strconcat (path, "/", child->name, NULL) : NULL;

    if (child != NULL)
      learn (orders, below, child);
  }
}

/* Writing. */

/* An element with what goes with it; or what stands alone behind the last. */
typedef struct {
  GPtrArray *before; /* const Node *: comments and the like, each on a line */
  const Node *element;
  const Node *beside; /* a comment behind it, on its line; or NULL */
  gboolean blank;     /* there is an empty line before it */
  int rank;
} Item;

static void
item_free (gpointer data)
{
  Item *item = data;

  g_ptr_array_unref (item->before);
  g_free (item);
}

static guint
count_lines (const Node *text)
{
  guint lines = 0;

  for (const char *place = text->start; place < text->end; place++)
    lines += *place == '\n';
  return lines;
}

static Item *
item_new (void)
{
  Item *item = g_new0 (Item, 1);

  item->before = g_ptr_array_new ();
  return item;
}

static GPtrArray *
make_items (const GPtrArray *children, const Order *order)
{
  GPtrArray *items = g_ptr_array_new_with_free_func (item_free);
  Item *item = item_new ();
  int rank = -1;

  for (guint i = 0; i < children->len; i++) {
    const Node *node = g_ptr_array_index (children, i);
    const Node *last = i > 0 ? g_ptr_array_index (children, i - 1) : NULL;
    gboolean same_line = last != NULL && (last->type != NODE_TEXT || count_lines (last) == 0);
    Item *done = items->len > 0 ? g_ptr_array_index (items, items->len - 1) : NULL;

    if (node->type == NODE_TEXT) {
      if (item->before->len == 0)
        item->blank = count_lines (node) > 1;
    } else if (node->type == NODE_ELEMENT) {
      int known = order_rank (order, node->name);

      rank = known >= 0 ? known : rank;
      item->rank = rank;
      item->element = node;
      g_ptr_array_add (items, item);
      item = item_new ();
    } else if (same_line && done != NULL && item->before->len == 0 && done->beside == NULL
               && node->type == NODE_COMMENT) {
      done->beside = node;
    } else {
      g_ptr_array_add (item->before, (gpointer)node);
    }
  }
  item->rank = G_MAXINT;
  if (item->before->len > 0)
    g_ptr_array_add (items, item);
  else
    item_free (item);
  return items;
}

static int
compare_ranks (gconstpointer a, gconstpointer b)
{
  const Item *one = *(Item *const *)a, *other = *(Item *const *)b;

  return (one->rank > other->rank) - (one->rank < other->rank);
}

typedef struct {
  GString *text;
  GHashTable *orders;
} Writing;

static void
indent (Writing *writing, guint depth)
{
  for (guint i = 0; i < depth * INDENT; i++)
    g_string_append_c (writing->text, ' ');
}

/* The start tag, with one blank between what is in it. */
static void
write_tag (Writing *writing, const Node *node)
{
  gboolean wants_blank = FALSE;
  char quote = '\0';

  for (const char *place = node->start; place < node->tag_end; place++) {
    if (quote == '\0' && g_ascii_isspace (*place)) {
      wants_blank = TRUE;
      continue;
    }
    if (wants_blank && quote == '\0' && *place != '>' && *place != '=' && !g_str_has_prefix (place, "/>")
        && writing->text->str[writing->text->len - 1] != '=')
      g_string_append_c (writing->text, ' ');
    wants_blank = FALSE;
    g_string_append_c (writing->text, *place);
    if (quote != '\0')
      quote = *place == quote ? '\0' : quote;
    else if (*place == '\'' || *place == '"')
      quote = *place;
  }
}

static void write_items (Writing *writing, const GPtrArray *children, const char *path, guint depth);

static void
write_element (Writing *writing, const Node *node, const char *path, guint depth)
{
  write_tag (writing, node);
  if (node->children == NULL)
    return;
  if (is_kept (node)) {
    g_string_append_len (writing->text, node->tag_end, node->end - node->tag_end);
    return;
  }
  g_string_append_c (writing->text, '\n');
  write_items (writing, node->children, path, depth + 1);
  indent (writing, depth);
  g_string_append_printf (writing->text, "</%s>", node->name);
}

static void
write_node (Writing *writing, const Node *node)
{
  g_string_append_len (writing->text, node->start, node->end - node->start);
}

static void
write_item (Writing *writing, const Item *item, const char *path, guint depth)
{
  g_autofree char *below = NULL;

  for (guint i = 0; i < item->before->len; i++) {
    indent (writing, depth);
    write_node (writing, g_ptr_array_index (item->before, i));
    g_string_append_c (writing->text, '\n');
  }
  if (item->element == NULL)
    return;
  indent (writing, depth);
  below = g_strconcat (path, "/", item->element->name, NULL);
  write_element (writing, item->element, below, depth);
  if (item->beside != NULL) {
    g_string_append_c (writing->text, ' ');
    write_node (writing, item->beside);
  }
  g_string_append_c (writing->text, '\n');
}

static void
write_items (Writing *writing, const GPtrArray *children, const char *path, guint depth)
{
  const Order *order = g_hash_table_lookup (writing->orders, path);
  g_autoptr (GPtrArray) items = make_items (children, order != NULL && !order->is_free ? order : NULL);

  /* Stable: what has one name keeps its order. */
  g_ptr_array_sort (items, compare_ranks);
  for (guint i = 0; i < items->len; i++) {
    const Item *item = g_ptr_array_index (items, i);

    if (item->blank && i > 0)
      g_string_append_c (writing->text, '\n');
    write_item (writing, item, path, depth);
  }
}

char *
document_format (const char *source, const char *written, GError **error)
{
  g_autoptr (GHashTable) orders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, order_free);
  g_autoptr (GPtrArray) nodes = scan (source, error);
  g_autoptr (GPtrArray) model = nodes != NULL && written != NULL ? scan (written, error) : NULL;
  Writing writing = { NULL, orders };

  if (nodes == NULL || (written != NULL && model == NULL))
    return NULL;
  for (guint i = 0; model != NULL && i < model->len; i++) {
    const Node *node = g_ptr_array_index (model, i);
    g_autofree char *path = node->type == NODE_ELEMENT ? g_strconcat ("/", node->name, NULL) : NULL;

    if (path != NULL)
      learn (orders, path, node);
  }
  writing.text = g_string_new (NULL);
  write_items (&writing, nodes, "", 0);
  return g_string_free (writing.text, FALSE);
}
