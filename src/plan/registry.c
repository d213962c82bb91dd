/* registry.c: planners by name: those in the library, and modules.
 *
 * The planner NAME of a module is the symbol lp_planner_NAME of the file
 * NAME.so in one of the folders.  A module is opened when it is first wanted,
 * stands before a planner of the library of the same name, and stays open as
 * long as the registry. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan.h"

typedef struct module {
    lpi_offer found;
    void *handle;
} module;

struct lpi_registry {
    lpi_arena *arena;
    const lp_planner *const *table;
    const char **folders;
    size_t folders_count;
    module **modules; /* that were looked for */
    int64_t modules_count, modules_room;
};

enum { NAME_MOST = 64 };

lp_status lpi_registry_new(const lp_planner *const *table,
                           const char *const *folders, size_t folders_count,
                           lpi_registry **ret_registry, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new((int64_t)64 << 20);
    lpi_registry *r = arena ? LPI_NEW(arena, lpi_registry, 1) : NULL;
    DIR *folder;
    size_t i;

    for (i = 0; i < folders_count; i++) {
        folder = opendir(folders[i]);
        if (!folder) {
            lpi_arena_free(arena);
            return lpi_fail(error, LP_EIO, folders[i],
                            "planners are looked for in this folder, which "
                            "cannot be read");
        }
        closedir(folder);
    }
    if (r)
        *r = (lpi_registry){
            .arena = arena,
            .table = table,
            .folders = LPI_NEW(arena, const char *, (int64_t)folders_count)};
    for (i = 0; r && r->folders && i < folders_count; i++) {
        r->folders[i] = lpi_arena_strdup(arena, folders[i]);
        if (!r->folders[i])
            break;
        r->folders_count++;
    }
    if (!r || r->folders_count < folders_count || !r->folders) {
        lpi_arena_free(arena);
        return lpi_fail_memory(error);
    }
    *ret_registry = r;
    return LP_OK;
}

void lpi_registry_free(lpi_registry *registry)
{
    int64_t i;

    if (!registry)
        return;
    for (i = 0; i < registry->modules_count; i++)
        if (registry->modules[i]->handle)
            dlclose(registry->modules[i]->handle);
    lpi_arena_free(registry->arena);
}

/* Letters, digits and '_' alone: a name is part of one of a file. */
static bool is_name(const char *name, size_t length)
{
    return length > 0 && length <= NAME_MOST &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= length;
}

static bool are_options(const lp_option *option)
{
    for (; option && option->name; option++)
        if (!option->initial || !option->help || option->least > option->most)
            return false;
    return true;
}

/* Why "planner" of a module cannot be used as "name"; NULL.  Only the first
 * member can be trusted to be there. */
static const char *why_not(lpi_arena *arena, const lp_planner *planner,
                           const char *name)
{
    uint32_t all = LP_PRECISION | LP_GROUPS | LP_RUNS | LP_MOVE | LP_ALIAS |
                   LP_PLACE;

    if (planner->abi != LP_PLANNER_ABI)
        return lpi_arena_printf(arena,
                                "it is built for planner ABI %lu, and this is "
                                "ABI %d",
                                (unsigned long)planner->abi, LP_PLANNER_ABI);
    if (!planner->name || strcmp(planner->name, name) != 0)
        return "the planner in it has another name than the file";
    if (!planner->summary || !planner->plan)
        return "the planner in it has no summary, or no plan()";
    if (!planner->decides || planner->decides & ~all)
        return "the planner in it decides no column, or unknown ones";
    if (!are_options(planner->options))
        return "an option of the planner in it has no default or help, or "
               "limits that fall";
    return NULL;
}

/* Open the module "m", whose name and origin are set. */
static lp_status open_module(lpi_registry *r, module *m, lp_error *error)
{
    char *symbol = lpi_arena_printf(r->arena, "lp_planner_%s", m->found.name);
    const lp_planner *planner;
    struct stat about;

    if (!symbol)
        return lpi_fail_memory(error);
    if (!stat(m->found.origin, &about) && !S_ISREG(about.st_mode)) {
        m->found.fault = "it is no regular file";
        return LP_OK;
    }
    m->handle = dlopen(m->found.origin, RTLD_NOW | RTLD_LOCAL);
    if (!m->handle) {
        const char *why = dlerror();

        m->found.fault =
            lpi_arena_strdup(r->arena, why ? why : "it cannot be opened");
        return m->found.fault ? LP_OK : lpi_fail_memory(error);
    }
    planner = dlsym(m->handle, symbol);
    if (!planner) {
        m->found.fault =
            lpi_arena_printf(r->arena, "it has no symbol '%s'", symbol);
        return m->found.fault ? LP_OK : lpi_fail_memory(error);
    }
    m->found.fault = why_not(r->arena, planner, m->found.name);
    if (!m->found.fault)
        m->found.planner = planner;
    return LP_OK;
}

/* The module "name" of folder "folder", opened now or before; NULL: there is
 * no such file. */
static lp_status find_module(lpi_registry *r, size_t folder, const char *name,
                             const lpi_offer **ret_found, lp_error *error)
{
    char *path =
        lpi_arena_printf(r->arena, "%s/%s.so", r->folders[folder], name);
    module *m;
    int64_t i;

    *ret_found = NULL;
    if (!path)
        return lpi_fail_memory(error);
    for (i = 0; i < r->modules_count; i++)
        if (!strcmp(r->modules[i]->found.origin, path)) {
            *ret_found = &r->modules[i]->found;
            return LP_OK;
        }
    if (access(path, F_OK) != 0)
        return LP_OK;
    m = LPI_NEW(r->arena, module, 1);
    if (!m ||
        !LPI_GROW(r->arena, r->modules, r->modules_count, r->modules_room))
        return lpi_fail_memory(error);
    m->found.name = lpi_arena_strdup(r->arena, name);
    m->found.origin = path;
    if (!m->found.name)
        return lpi_fail_memory(error);
    r->modules[r->modules_count++] = m;
    LP_TRY(open_module(r, m, error));
    *ret_found = &m->found;
    return LP_OK;
}

static lp_status no_such(lpi_registry *r, const char *name, lp_error *error)
{
    const lpi_offer *found;
    lpi_text names = {0};
    lp_error ignored;
    int64_t count, i;

    if (lpi_registry_list(r, &found, &count, &ignored) == LP_OK)
        for (i = 0; i < count; i++)
            if (found[i].planner)
                lpi_text_printf(&names, "%s%s", names.length ? ", " : "",
                                found[i].name);
    lpi_fail(error, LP_EINVALID, NULL,
             "no planner is called '%.100s'; there are %.700s", name,
             names.bytes ? names.bytes : "none");
    lpi_text_drop(&names);
    return LP_EINVALID;
}

lp_status lpi_registry_find(lpi_registry *registry, const char *name,
                            const lp_planner **ret_planner, lp_error *error)
{
    const lpi_offer *found;
    size_t f;
    int32_t i;

    for (f = 0; is_name(name, strlen(name)) && f < registry->folders_count;
         f++) {
        LP_TRY(find_module(registry, f, name, &found, error));
        if (found && found->fault)
            return lpi_fail(error, LP_EINPUT, found->origin,
                            "planner '%.100s': %.500s", name, found->fault);
        if (found) {
            *ret_planner = found->planner;
            return LP_OK;
        }
    }
    for (i = 0; registry->table[i]; i++)
        if (!strcmp(registry->table[i]->name, name)) {
            *ret_planner = registry->table[i];
            return LP_OK;
        }
    return no_such(registry, name, error);
}

/* ---- the list -------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the modules in folder "folder", sorted. */
static lp_status list_folder(lpi_registry *r, size_t folder,
                             const char ***ret_names, int64_t *ret_count,
                             lp_error *error)
{
    DIR *list = opendir(r->folders[folder]);
    const char **names = NULL;
    int64_t count = 0, room = 0;
    const struct dirent *entry;
    bool failed = false;

    while (list && !failed && (entry = readdir(list))) {
        size_t length = strlen(entry->d_name);

        if (length <= 3 || strcmp(entry->d_name + length - 3, ".so") != 0 ||
            !is_name(entry->d_name, length - 3))
            continue;
        failed = !LPI_GROW(r->arena, names, count, room);
        if (!failed)
            names[count++] =
                lpi_arena_strndup(r->arena, entry->d_name, length - 3);
        failed = failed || !names[count - 1];
    }
    if (list)
        closedir(list);
    if (failed)
        return lpi_fail_memory(error);
    if (count)
        qsort(names, (size_t)count, sizeof(*names), by_name);
    *ret_names = names;
    *ret_count = count;
    return LP_OK;
}

lp_status lpi_registry_list(lpi_registry *registry, const lpi_offer **ret_found,
                            int64_t *ret_count, lp_error *error)
{
    lpi_offer *list = NULL;
    int64_t count = 0, room = 0, names_count = 0, i;
    const char **names = NULL;
    size_t f;

    for (i = 0; registry->table[i]; i++) {
        if (!LPI_GROW(registry->arena, list, count, room))
            return lpi_fail_memory(error);
        list[count++] = (lpi_offer){.planner = registry->table[i],
                                    .name = registry->table[i]->name,
                                    .origin = ""};
    }
    for (f = 0; f < registry->folders_count; f++) {
        LP_TRY(list_folder(registry, f, &names, &names_count, error));
        for (i = 0; i < names_count; i++) {
            const lpi_offer *found;

            LP_TRY(find_module(registry, f, names[i], &found, error));
            if (!found)
                continue;
            if (!LPI_GROW(registry->arena, list, count, room))
                return lpi_fail_memory(error);
            list[count++] = *found;
        }
    }
    *ret_found = list;
    *ret_count = count;
    return LP_OK;
}
