import { z } from "zod";

/** Kubernetes' rule for most names: a DNS subdomain. */
export const subdomainPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Kubernetes' rule for namespaces and a few other names: a DNS label of at most 63 characters. */
export const labelPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

export const ResourceName = z.string().min(1).max(253).regex(subdomainPattern, {
  error:
    'expected a name of lower-case letters, digits, "-" and ".", that starts and ends with a letter or digit',
});

export const ProjectName = z.string().min(1).max(63).regex(labelPattern, {
  error: 'expected a name of lower-case letters, digits and "-", that starts and ends with a letter or digit',
});
