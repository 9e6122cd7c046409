"""The live page: build a bundle of measures, run the city, watch it, compare, save."""
