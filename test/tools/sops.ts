/** sops, as its users have it. @module */
import { installed } from './installed.ts'

export const sops = await installed({
  name: 'sops',
  toolchain: ['go version'],
  fetch: ['go install -p 1 github.com/getsops/sops/v3/cmd/sops@v3.13.3'],
})
