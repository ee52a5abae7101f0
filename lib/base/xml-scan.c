/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libxml2 forgets columns, compares every attribute of an element with every other, and searches declared
 * namespaces one after another; so the text is walked once beforehand. Without a document type (which is
 * refused here) XML's grammar is simple enough for that: outside of comments, CDATA sections and processing
 * instructions every '<' opens a tag, and inside a tag nothing but quoted values hides a '>'. That libxml2
 * reads the same is not taken for granted: xml-document.c compares each element that libxml2 begins with the
 * next place found here, and refuses the document where they differ.
 */
#include "base/xml-scan.h"

#include "base/xml-document.h"

#include <string.h>

typedef struct {
  const char *start, *end;
  const char *at;
  guint depth, nodes, namespaces;
  XmlScan *scan;
} Scanner;

#define LITERAL(scanner, word) starts_with (scanner, word, sizeof (word) - 1)

static gboolean
starts_with (const Scanner *scanner, const char *word, gsize length)
{
  return (gsize)(scanner->end - scanner->at) >= length && memcmp (scanner->at, word, length) == 0;
}

static gboolean
refuse (Scanner *scanner, const char *at, const char *text)
{
  scanner->scan->mistake = (gsize)(at - scanner->start);
  scanner->scan->text = text;
  return FALSE;
}

/* The scan is over: there is nothing more, or nothing more that could be well-formed. */
static gboolean
leave_to_parser (Scanner *scanner)
{
  scanner->at = scanner->end;
  return TRUE;
}

/* From the opening word, which is there, to behind the closing one; the two share no character ("<!-->"
 * closes nothing). */
static gboolean
skip_section (Scanner *scanner, const char *opening, const char *closing)
{
  const char *inside = scanner->at + strlen (opening);
  const char *found = memmem (inside, (gsize)(scanner->end - inside), closing, strlen (closing));

  if (found == NULL)
    return leave_to_parser (scanner);
  scanner->at = found + strlen (closing);
  return TRUE;
}

static void
skip_space (Scanner *scanner)
{
  while (scanner->at < scanner->end && strchr (" \t\r\n", *scanner->at) != NULL && *scanner->at != '\0')
    scanner->at++;
}

static void
skip_name (Scanner *scanner)
{
  while (scanner->at < scanner->end && memchr (" \t\r\n/>=<\"'", *scanner->at, 10) == NULL)
    scanner->at++;
}

static gboolean
add_node (Scanner *scanner, const char *at)
{
  guint32 offset = (guint32)(at - scanner->start);

  if (++scanner->nodes > XML_MAX_NODES)
    return refuse (scanner, at,
                   "the document has more than " G_STRINGIFY (XML_MAX_NODES) " elements and attributes");
  g_array_append_val (scanner->scan->places, offset);
  return TRUE;
}

static gboolean
add_attribute (Scanner *scanner, const char *name, guint count)
{
  gsize length = (gsize)(scanner->at - name);

  if (count > XML_MAX_ATTRIBUTES)
    return refuse (scanner, name,
                   "the element has more than " G_STRINGIFY (XML_MAX_ATTRIBUTES) " attributes");
  if (length >= 5 && memcmp (name, "xmlns", 5) == 0 && ++scanner->namespaces > XML_MAX_NAMESPACES)
    return refuse (scanner, name,
                   "the document declares more than " G_STRINGIFY (XML_MAX_NAMESPACES) " namespaces");
  return add_node (scanner, name);
}

/* From behind an attribute's name to behind its value; FALSE when it is not NAME = "VALUE". */
static gboolean
skip_value (Scanner *scanner)
{
  const char *closing;

  skip_space (scanner);
  if (!LITERAL (scanner, "="))
    return FALSE;
  scanner->at++;
  skip_space (scanner);
  if (scanner->at == scanner->end || (*scanner->at != '"' && *scanner->at != '\''))
    return FALSE;
  closing = memchr (scanner->at + 1, *scanner->at, (gsize)(scanner->end - scanner->at - 1));
  if (closing == NULL)
    return FALSE;
  scanner->at = closing + 1;
  return TRUE;
}

static gboolean
scan_start_tag (Scanner *scanner)
{
  if (!add_node (scanner, scanner->at))
    return FALSE;
  if (scanner->depth + 1 > XML_MAX_DEPTH)
    return refuse (scanner, scanner->at,
                   "elements are nested more than " G_STRINGIFY (XML_MAX_DEPTH) " deep");
  scanner->at++;
  skip_name (scanner);

  for (guint count = 1;; count++) {
    const char *name;

    skip_space (scanner);
    if (LITERAL (scanner, ">")) {
      scanner->at++;
      scanner->depth++;
      return TRUE;
    }
    if (LITERAL (scanner, "/>")) {
      scanner->at += 2;
      return TRUE;
    }
    name = scanner->at;
    skip_name (scanner);
    if (scanner->at == name)
      return leave_to_parser (scanner);
    if (!add_attribute (scanner, name, count))
      return FALSE;
    if (!skip_value (scanner))
      return leave_to_parser (scanner);
  }
}

static gboolean
scan_markup (Scanner *scanner)
{
  if (LITERAL (scanner, "<!--"))
    return skip_section (scanner, "<!--", "-->");
  if (LITERAL (scanner, "<![CDATA["))
    return skip_section (scanner, "<![CDATA[", "]]>");
  if (LITERAL (scanner, "<!DOCTYPE"))
    return refuse (scanner, scanner->at, "document type declarations (<!DOCTYPE>) are not accepted");
  if (LITERAL (scanner, "<!"))
    return leave_to_parser (scanner);
  if (LITERAL (scanner, "<?"))
    return skip_section (scanner, "<?", "?>");
  if (LITERAL (scanner, "</")) {
    if (scanner->depth == 0)
      return leave_to_parser (scanner);
    scanner->depth--;
    return skip_section (scanner, "</", ">");
  }
  return scan_start_tag (scanner);
}

gboolean
xml_scan (const char *text, gsize length, XmlScan *ret)
{
  Scanner scanner = { .start = text, .end = text + length, .at = text, .scan = ret };

  ret->places = g_array_new (FALSE, FALSE, sizeof (guint32));
  ret->mistake = 0;
  ret->text = NULL;

  while (scanner.at < scanner.end) {
    const char *markup = memchr (scanner.at, '<', (gsize)(scanner.end - scanner.at));

    if (markup == NULL)
      break;
    scanner.at = markup;
    if (!scan_markup (&scanner))
      return FALSE;
  }
  return TRUE;
}

void
xml_scan_clear (XmlScan *scan)
{
  g_clear_pointer (&scan->places, g_array_unref);
}
