/** Who else may read a file with a secret, or write to a file or a directory. @module */

/**
 * Whether only its owner may read the file. A file of root's may also be readable by its group: that is how
 * Kubernetes, systemd and distributions give a secret to a service.
 */
export function isPrivate({ mode, uid }: { readonly mode: number; readonly uid: number }): boolean {
  return (mode & (uid === 0 ? 0o037 : 0o077)) === 0
}

export function isWritableByAll({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o002) !== 0
}
