// The API of bench/requests.py written by hand, as a team that knows Fastify writes it for speed.
//
//   JWT_SECRET=… node fastify.mjs DATABASE PORT
//
// Best practice throughout: prepared statements, a cached verifier of tokens, serialisers compiled from response
// schemas, a buffered log, one histogram child for each route and status. Commits run with synchronous=NORMAL.

import Database from 'better-sqlite3'
import fastJsonStringify from 'fast-json-stringify'
import { createVerifier } from 'fast-jwt'
import fastify, { LogController } from 'fastify'
import { Readable } from 'node:stream'
import pino from 'pino'
import prom from 'prom-client'

const [path, port] = process.argv.slice(2)
const PRAGMAS = [
  'journal_mode = wal', 'synchronous = normal', 'foreign_keys = on', 'busy_timeout = 10000',
  'temp_store = memory', 'cache_size = -16000', 'mmap_size = 8589934592',
]

const database = new Database(path)
PRAGMAS.forEach(pragma => database.pragma(pragma))
const prepare = sql => database.prepare(sql)

const output = pino.destination({ dest: 1, sync: false, minLength: 8192 })
setInterval(() => output.flush(), 200).unref()
const app = fastify({
  loggerInstance: pino({ base: null }, output),
  logController: new LogController({ disableRequestLogging: true }), // one line for each request, not two: see below
  bodyLimit: 16 << 20,
})

// ---- seen from outside ----------------------------------------------------------------------------------------------

prom.collectDefaultMetrics()
const duration = new prom.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to answer, by route and status',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
})
const children = new Map()
const childOf = (method, route, status) => {
  const key = `${method} ${route} ${status}`
  let child = children.get(key)
  if (!child) children.set(key, child = duration.labels(method, route, String(status)))
  return child
}

app.addHook('onResponse', (request, reply, done) => {
  const { method, url, user } = request
  const responseTime = reply.elapsedTime
  childOf(method, request.routeOptions.url ?? 'other', reply.statusCode).observe(responseTime / 1000)
  request.log.info({ method, url, statusCode: reply.statusCode, responseTime, user: user?.sub }, 'request completed')
  done()
})
app.get('/healthz', async () => ({ status: 'ok' }))
app.get('/metrics', async (request, reply) => reply.type('text/plain').send(await prom.register.metrics()))

// ---- schemas --------------------------------------------------------------------------------------------------------

const integer = { type: 'integer' }
const number = { type: 'number' }
const string = { type: 'string' }
const nullable = type => ({ type: [type, 'null'] })
const object = (properties, required = []) => ({ type: 'object', properties, required })
const array = items => ({ type: 'array', items })

const POST = {
  id: integer, author_id: integer, title: string, slug: string, body: nullable('string'), status: string,
  views: integer, rating: nullable('number'), published_at: nullable('string'), created_at: string,
}
const { body, rating, created_at, ...SUMMARY } = POST
const COMMENT = { id: integer, post_id: integer, author_id: integer, body: string, created_at: string }
const AUTHOR = { id: integer, name: string, email: string }
const REMARK = { id: integer, body: string, created_at: string }
const PRODUCT = { id: integer, sku: string, name: string, price: number, stock: integer }
const NEW_COMMENT = object({ post_id: integer, author_id: integer, body: string }, ['post_id', 'author_id', 'body'])
const params = object({ id: integer }, ['id'])
const columns = properties => Object.keys(properties).join(', ')

// ---- the routes, all for signed-in users ----------------------------------------------------------------------------

// A verified token is found again by itself: to hash it takes longer than to look it up.
const verify = createVerifier({
  key: process.env.JWT_SECRET, algorithms: ['HS256'], cache: 4096, cacheKeyBuilder: token => token,
})

app.register(async api => {
  api.addHook('onRequest', (request, reply, done) => {
    try {
      request.user = verify((request.headers.authorization ?? '').slice('Bearer '.length))
    } catch (error) {
      reply.code(401)
      return done(error)
    }
    if (request.user.role !== 'authenticated') {
      reply.code(403)
      return done(new Error('forbidden'))
    }
    done()
  })

  const postById = prepare(`SELECT ${columns(POST)} FROM posts WHERE id = ?`)
  api.get('/posts/:id', { schema: { params, response: { 200: object(POST) } } }, (request, reply) => {
    const post = postById.get(request.params.id)
    post ? reply.send(post) : reply.code(404).send()
  })

  const postsOfAuthor = prepare(`SELECT ${columns(POST)} FROM posts WHERE author_id = ? ORDER BY id DESC LIMIT ?`)
  const page = object({ limit: { ...integer, default: 20, maximum: 1000 } })
  api.get('/authors/:id/posts', {
    schema: { params, querystring: page, response: { 200: array(object(POST)) } },
  }, (request, reply) => {
    reply.send(postsOfAuthor.all(request.params.id, request.query.limit))
  })

  const filtered = prepare(
    `SELECT ${columns(SUMMARY)} FROM posts WHERE status = ? AND views >= ? ORDER BY published_at DESC LIMIT ?`)
  const filter = object(
    { status: string, min_views: integer, limit: { ...integer, default: 100, maximum: 1000 } }, ['status', 'min_views'])
  api.get('/posts', { schema: { querystring: filter, response: { 200: array(object(SUMMARY)) } } }, (request, reply) => {
    const { status, min_views, limit } = request.query
    reply.send(filtered.all(status, min_views, limit))
  })

  const authorById = prepare(`SELECT ${columns(AUTHOR)} FROM authors WHERE id = ?`)
  const remarksOn = prepare(`SELECT ${columns(REMARK)} FROM comments WHERE post_id = ? ORDER BY id LIMIT 5`)
  const full = object({ ...POST, author: object(AUTHOR), comments: array(object(REMARK)) })
  api.get('/posts/:id/full', { schema: { params, response: { 200: full } } }, (request, reply) => {
    const post = postById.get(request.params.id)
    if (!post) return reply.code(404).send()
    post.author = authorById.get(post.author_id)
    post.comments = remarksOn.all(post.id)
    reply.send(post)
  })

  const commentsOf = prepare(`SELECT ${columns(COMMENT)} FROM comments WHERE author_id = ? ORDER BY id DESC LIMIT 10`)
  const countOf = prepare('SELECT count(*) FROM comments WHERE author_id = ?').pluck()
  api.get('/authors/:id/comments', { schema: { params, response: { 200: array(object(COMMENT)) } } }, (request, reply) => {
    reply.header('x-total-count', countOf.get(request.params.id)).send(commentsOf.all(request.params.id))
  })

  const productsNamed = prepare(`SELECT ${columns(PRODUCT)} FROM products WHERE name LIKE ? ORDER BY id LIMIT 20`)
  api.get('/products', {
    schema: { querystring: object({ q: string }, ['q']), response: { 200: array(object(PRODUCT)) } },
  }, (request, reply) => {
    reply.send(productsNamed.all(`%${request.query.q}%`))
  })

  const insert = prepare('INSERT INTO comments (post_id, author_id, body) VALUES (?, ?, ?)')
  const insertReturning = prepare(`${insert.source} RETURNING ${columns(COMMENT)}`)
  api.post('/comments', { schema: { body: NEW_COMMENT, response: { 201: object(COMMENT) } } }, (request, reply) => {
    const { post_id, author_id, body } = request.body
    if (request.headers.prefer === 'return=representation') {
      reply.code(201).send(insertReturning.get(post_id, author_id, body))
    } else {
      insert.run(post_id, author_id, body)
      reply.code(201).send()
    }
  })

  const insertAll = database.transaction(rows => {
    for (const { post_id, author_id, body } of rows) insert.run(post_id, author_id, body)
  })
  api.post('/comments/bulk', { schema: { body: array(NEW_COMMENT) } }, (request, reply) => {
    insertAll.immediate(request.body)
    reply.code(201).send()
  })

  const update = prepare('UPDATE posts SET title = ?, views = ? WHERE id = ?')
  const changes = object({ title: string, views: integer }, ['title', 'views'])
  api.patch('/posts/:id', { schema: { params, body: changes } }, (request, reply) => {
    const { title, views } = request.body
    reply.code(update.run(title, views, request.params.id).changes ? 204 : 404).send()
  })

  const numberAfter = prepare('SELECT n FROM numbers LIMIT 1 OFFSET ?')
  api.get('/numbers', { schema: { querystring: object({ offset: integer }, ['offset']) } }, (request, reply) => {
    reply.send(numberAfter.all(request.query.offset))
  })

  // Exports read on a connection of their own: it is held between the pieces, and the other one must stay free.
  function * pieces (opening, written, separator, closing) {
    const reader = new Database(path, { readonly: true })
    try {
      reader.pragma('mmap_size = 8589934592')
      let piece = opening
      let between = ''
      for (const post of reader.prepare(`SELECT ${columns(POST)} FROM posts`).iterate()) {
        piece += between + written(post)
        between = separator
        if (piece.length > 65536) {
          yield piece
          piece = ''
        }
      }
      yield piece + closing
    } finally {
      reader.close()
    }
  }

  const asJson = fastJsonStringify(object(POST))
  api.get('/export.json', (request, reply) => {
    reply.type('application/json').send(Readable.from(pieces('[', asJson, ',', ']'), { objectMode: false }))
  })

  const names = Object.keys(POST)
  const quoted = value => {
    if (value === null) return ''
    return typeof value === 'string' && /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  }
  const asCsv = post => {
    let line = String(quoted(post[names[0]]))
    for (let i = 1; i < names.length; i++) line += ',' + quoted(post[names[i]])
    return line + '\n'
  }
  api.get('/export.csv', (request, reply) => {
    const opening = `${names.join(',')}\n`
    reply.type('text/csv').send(Readable.from(pieces(opening, asCsv, '', ''), { objectMode: false }))
  })
})

await app.listen({ port: Number(port), host: '127.0.0.1' })
process.on('SIGTERM', () => process.exit(0))
