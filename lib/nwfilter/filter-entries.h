/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nwfilter/filter-document.h"

/* The parts of a filter that are more than a table: for filter-document.c alone. */
extern const FieldType field_filter_entries; /* GPtrArray * of FilterEntry: <rule> and <filterref> together */
extern const FieldTable filter_parameter_table;
/* The same as that of a filter's references, but for who says himself that the filter's name is missing. */
extern const FieldTable filter_reference_lax_table;
