/* device.c: devices by the name of a file, or by their own in the folders where
 * devices are kept. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define SUFFIX ".yaml"

/* Where devices are looked for, best first; ended by NULL. */
static const char *const *folders(void)
{
    static const char *all[3];
    const char *own = getenv("LPLAN_DEVICES");
    size_t n = 0;

    if (own && *own)
        all[n++] = own;
    all[n++] = LPI_PLOTDIR "/../devices";
    all[n] = NULL;
    return all;
}

cli_exit cli_device_load(const char *name, lp_device **ret_device)
{
    const char *const *folder = folders(), *path = name;
    lp_error error = {0};

    for (; *folder && !strchr(name, '/') && access(path, F_OK) != 0; folder++)
        path = cli_format("%s/%s" SUFFIX, *folder, name);
    if (access(path, F_OK) != 0)
        return cli_fail(CLI_INPUT, NULL,
                        "device '%s' is no file, nor one that 'lplan list "
                        "devices' shows",
                        name);
    if (lp_device_load(path, ret_device, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    return CLI_YES;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

cli_exit cli_device_list(void)
{
    const char *const *folder;
    cli_list names = {0};
    size_t i;

    for (folder = folders(); *folder; folder++) {
        DIR *list = opendir(*folder);
        const struct dirent *entry;

        while (list && (entry = readdir(list))) {
            size_t length = strlen(entry->d_name), end = strlen(SUFFIX);

            if (length > end && !strcmp(entry->d_name + length - end, SUFFIX))
                cli_push(&names, cli_format("%.*s", (int)(length - end),
                                            entry->d_name));
        }
        if (list)
            closedir(list);
    }
    if (names.count)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    for (i = 0; i < names.count; i++)
        if (!i || strcmp(names.items[i], names.items[i - 1]) != 0)
            cli_print("%s\n", cli_escape(names.items[i]));
    return CLI_YES;
}
