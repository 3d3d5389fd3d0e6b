/**
 * system: the words of libpq's connection parameters, known once for URLs, service files, the environment and children. Never a value.
 *
 * Source: PostgreSQL's documentation, "Parameter Key Words" and "Environment Variables".
 */

/** libpq's keywords that have an environment variable. */
export const variables = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  service: 'PGSERVICE',
  options: 'PGOPTIONS',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcrl: 'PGSSLCRL',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
  krbsrvname: 'PGKRBSRVNAME',
  requirepeer: 'PGREQUIREPEER',
  require_auth: 'PGREQUIREAUTH',
  sslsni: 'PGSSLSNI',
  sslcertmode: 'PGSSLCERTMODE',
} as const;
type Keyword = keyof typeof variables;

/** Allowed by libpq, of no use to a backup: its sessions name themselves and keep themselves alive. */
const idle =
  /^(application_name|fallback_application_name|client_encoding|keepalives(_idle|_interval|_count)?|tcp_user_timeout|sslcompression|load_balance_hosts|sslnegotiation|gssdelegation|gsslib)$/;
export const isKeyword = (key: string): boolean => Object.hasOwn(variables, key) || idle.test(key);

export type Parameters = Readonly<Partial<Record<Keyword, string>>>;
