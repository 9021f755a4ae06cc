/**
 * The floor: a bare `node:http` server that reads a body and answers 200 with a body of a given
 * size.
 * @module
 */
import { createServer } from 'node:http'

const answer = Buffer.alloc(Number(process.argv[2] ?? '400'), 'x')
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? (address?.port ?? 0) : 0}\n`)
})
