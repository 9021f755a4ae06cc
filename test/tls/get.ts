/** A GET over TLS to a server of this machine. @module */
import { request } from 'node:https'

/** Resolves with the body. @param authority in PEM */
export function getOverTls(port: number, path: string, authority: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ca: authority, servername: 'localhost', agent: false }
    const call = request(`https://127.0.0.1:${port}${path}`, options)
    call.on('error', reject)
    call.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
    })
    call.end()
  })
}
