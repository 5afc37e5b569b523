/* files: listing, metadata, download and removal of a session's files, in both generations.
 *
 * Each runs inside the session through its shell; a download sends from the descriptor that comes
 * back.
 */
#pragma once

struct exchange;

void file_list(struct exchange *exchange);
void file_show(struct exchange *exchange);
void file_download(struct exchange *exchange);
void file_delete(struct exchange *exchange);
