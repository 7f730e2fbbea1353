/** Where an Argo CD is, and how to speak to it. */
export interface ArgoConnection {
  /** Its address, the path that it is served under included; without a slash at the end. */
  server: string;
  /** Bearer token of an account, or of a role of an Argo CD project. */
  token: string;
  /** Namespace of the Applications that a configuration gives none for. */
  namespace: string;
  /** Certificates in PEM that the server's is checked against, in place of the system's. */
  caCertificates?: string;
  insecureSkipTLSVerify: boolean;
}
