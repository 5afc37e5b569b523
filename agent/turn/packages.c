#include "agent/turn/packages.h"

#include <ctype.h>
#include <string.h>

#include "base/core/cleanup.h"

enum { HINT_BYTES_MAX = 160 };

/* What can stand in for well-known packages; of the others the names that look alike. */
static const struct {
    const char *module, *instead;
} replacements[] = {
    {"requests", "urllib.request"},
    {"httpx", "urllib.request"},
    {"bs4", "html.parser"},
    {"lxml", "xml.etree.ElementTree"},
    {"yaml", "json"},
    {"openpyxl", "zipfile', 'xml.etree.ElementTree"},
    {"xlrd", "zipfile"},
    {"polars", "pandas"},
    {"pyarrow", "pandas"},
    {"duckdb", "sqlite3', 'pandas"},
    {"seaborn", "matplotlib"},
    {"plotly", "matplotlib"},
    {"bokeh", "matplotlib"},
    {"altair", "matplotlib"},
    {"sklearn", "scipy', 'numpy"},
    {"statsmodels", "scipy', 'numpy"},
    {"sympy", "fractions"},
    {"cv2", "PIL"},
    {"PIL", "matplotlib.image"},
    {"tabulate", "pandas"},
    {"docx", "zipfile', 'xml.etree.ElementTree"},
};

char *packages_probe(const char *module)
{
    const char *instead = "";
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++) {
        if (strcmp(replacements[i].module, module) == 0)
            instead = replacements[i].instead;
    }
    return xasprintf(
        "def _sandpool_packages():\n"
        "    import difflib, importlib.util, pkgutil, sys\n"
        "    known = {m.name for m in pkgutil.iter_modules()} | set(sys.stdlib_module_names)\n"
        "    close = difflib.get_close_matches('%s', [n for n in known if n[0] != '_'], 3, 0.75)\n"
        "    def there(name):\n"
        "        try:\n"
        "            return importlib.util.find_spec(name) is not None\n"
        "        except ImportError:\n"
        "            return False\n"
        "    names = [n for n in ['%s'] if n and there(n)] or [n for n in close if n != '%s']\n"
        "    print(' '.join(names))\n"
        "_sandpool_packages()\n"
        "del _sandpool_packages",
        module, instead, module);
}

/* Names only: what the session prints is not trusted. */
void packages_write_hint(const struct wire_execution *execution, struct buf *out)
{
    AUTO_BUF struct buf names = {0};
    const char *text = execution->standard_output;
    bool is_between = false;
    for (size_t i = 0; i < execution->standard_output_length && i < HINT_BYTES_MAX; i++) {
        char byte = text[i];
        bool is_name = isalnum((unsigned char)byte) || byte == '_' || byte == '.';
        if (is_name && is_between && names.length > 0)
            buf_append_text(&names, ", ");
        if (is_name)
            buf_append(&names, &byte, 1);
        is_between = !is_name;
    }
    if (execution->status == WIRE_STATUS_SUCCEEDED && names.length > 0)
        buf_printf(out, " Installed and closest: %s.", names.data);
}
