"""The brief: one HTML file for those who decide, in Chinese and English, that needs no network."""
